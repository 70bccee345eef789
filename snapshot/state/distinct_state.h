// For tests: states in which every field has a value of its own.
#pragma once

#include <cstdint>

#include "vmm/machine/machine_state.h"

namespace qm::snapshot {

// Two vCPUs and one virtio device of each kind, every number drawn from `seed`: what the codec mixed up or left out
// differs, for bits with all but certainty after a few seeds.
MachineState distinctState(std::uint64_t seed);

// The least that decode() takes: one vCPU, one page, no virtio devices.
MachineState smallState();

}  // namespace qm::snapshot
