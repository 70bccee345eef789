// Registers in the seam's groups (state.h), to and from a processor.
#pragma once

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/state.h"
#include "vmm/result/result.h"

namespace qm::soft {

Registers saveRegisters(const Cpu& cpu);
void loadRegisters(Cpu& cpu, const Registers& registers);

// CR8 and IA32_APIC_BASE are the local APIC's.
SystemRegisters saveSystem(const Cpu& cpu);
// fixInput for a mode that the CPU in software does not have: paging outside long mode, virtual-8086.
Status loadSystem(Cpu& cpu, const SystemRegisters& from);

}  // namespace qm::soft
