// MOV to and from debug registers (SDM 2; SDM 3B, 17.2).
#pragma once

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

bool lowerDebugMove(const Instruction& instruction, Emitter& emitter);

}  // namespace qm::soft
