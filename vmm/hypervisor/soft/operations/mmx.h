// MMX and the SSE instructions on its registers (SDM 2; SDM 1, chapter 9).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> mmxLowerings();

}  // namespace qm::soft
