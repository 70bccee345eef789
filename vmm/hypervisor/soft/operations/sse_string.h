// SSE4.2's string comparisons, AES and PCLMULQDQ (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseStringLowerings();

}  // namespace qm::soft
