// x87, SSE and AVX state as the XSAVE area of the standard format (SDM 1, 13.4), which is how a snapshot has it. A
// component in its initial state is not marked in use.
#pragma once

#include <cstddef>
#include <span>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/state.h"
#include "vmm/result/result.h"

namespace qm::soft {

// As many bytes as what the guest's CPUID offers takes.
ExtendedState saveExtended(const Cpu& cpu);
// fixInput when more is in use than the guest's CPUID offers, or a value is none that the CPU can have.
Status loadExtended(Cpu& cpu, const ExtendedState& state);

}  // namespace qm::soft
