// Moves to and from control and debug registers (SDM 2, MOV), CLTS, LMSW, SMSW.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> controlMoveLowerings();

// Whether an operand of MOV is one that lowerSystemMove() takes: a control, debug or segment register.
bool isSystemRegister(const Operand& operand);
bool lowerSystemMove(const Instruction& instruction, Emitter& emitter);

}  // namespace qm::soft
