// Runs cases in a guest of a hypervisor, through the seam alone: one vCPU, the harness in its user mode.
#pragma once

#include <memory>

#include "tests/differ/generator.h"
#include "tests/differ/machine.h"
#include "vmm/hypervisor/hypervisor.h"

namespace qm::differ {

// Both outlive the machine.
Result<std::unique_ptr<Machine>> openGuest(Hypervisor& hypervisor, const Generator& generator);

}  // namespace qm::differ
