// Integer arithmetic of SSE2 to SSE4.1 on XMM registers (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseIntegerLowerings();

}  // namespace qm::soft
