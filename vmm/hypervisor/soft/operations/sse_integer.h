// Integer arithmetic, logic and comparison of SSE2 to SSE4.2 on XMM registers, with the logic of floating-point lanes,
// which is the same (SDM 2). Shifts, shuffles and single lanes have files of their own.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseIntegerLowerings();

}  // namespace qm::soft
