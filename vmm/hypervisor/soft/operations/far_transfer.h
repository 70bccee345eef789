// Control transfers that change the code segment: far JMP, CALL, RET, IRET, INT n, INT3, INT1 (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> farTransferLowerings();

// The far forms of mnemonics that the branch family has.
bool lowerFarJump(const Instruction& instruction, Emitter& emitter);
bool lowerFarCall(const Instruction& instruction, Emitter& emitter);
bool lowerFarRet(const Instruction& instruction, Emitter& emitter);

}  // namespace qm::soft
