// MMX and the SSE instructions on its registers (SDM 1, chapter 9; SDM 2): what computes one register from two. What
// moves them is in mmx_move.h, conversions to and from floating point in mmx_convert.h.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> mmxLowerings();

}  // namespace qm::soft
