// Far RET, IRET, IRETD, IRETQ (SDM 2): back to where a far call, an interrupt or an exception came from, at the same or
// an outer privilege.
// Modelled: all of 64-bit and compatibility mode, protected mode, real mode. Not modelled: returns to tasks (NT) and to
// virtual-8086 mode.
#pragma once

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

bool lowerInterruptReturn(const Instruction& instruction, Emitter& emitter);

}  // namespace qm::soft
