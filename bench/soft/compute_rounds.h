// Computations: the same programs on every machine, one after the other, round after round.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "bench/soft/computation.h"
#include "bench/soft/machine_runner.h"
#include "bench/start/figures.h"

namespace qm::bench {

using MachineRunners = std::vector<std::unique_ptr<MachineRunner>>;

void declareComputations(const MachineRunners& machines, const std::vector<Computation>& computations,
                         Figures& figures);

// The first machine's check values are right; another one's that differ are an error, and so is a time that is longer
// than what passed here.
Status measureComputations(const MachineRunners& machines, const std::vector<Computation>& computations,
                           std::uint32_t rounds, Figures& figures);

// A second of the guest is a second of the host's: its times can be believed.
Status checkClock(MachineRunner& machine);

}  // namespace qm::bench
