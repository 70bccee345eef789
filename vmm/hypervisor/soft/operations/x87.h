// The x87 FPU (SDM 1, chapter 8; SDM 2): all of its instructions but the few of x87_control.
//
// Each is the host's own, run on the guest's whole FPU state: FXRSTOR, the instruction, FXSAVE. So stack faults, tags,
// condition codes, rounding, the masked responses to exceptions and the unmasked ones are those of hardware. An
// exception that is let through is left pending in the status word, as hardware leaves it, and raised as #MF by the
// next instruction that waits. A few hundred cycles an instruction, which nothing that is fast uses.
//
// Modelled: the last instruction's and operand's addresses as the guest's; FCS and FDS are 0 (SDM 1, 8.1.8), the last
// opcode is kept where an exception is pending. Not modelled: environments of the 16-bit format.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> x87Lowerings();

}  // namespace qm::soft
