// The stack: PUSH POP LEAVE ENTER PUSHF POPF (SDM 2). Segment registers are pushed here and popped by the system
// families. POPF of flags that change how the processor runs (TF, IF, AC) ends the block.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> stackLowerings();

}  // namespace qm::soft
