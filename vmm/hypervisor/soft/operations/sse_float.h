// Floating-point arithmetic of SSE to SSE4.1, rounding and dot products (SDM 2; SDM 1, chapters 10 to 12).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseFloatLowerings();

}  // namespace qm::soft
