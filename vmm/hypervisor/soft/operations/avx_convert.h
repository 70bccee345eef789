// Conversions of AVX and F16C (SDM 2). Those to general registers are as in SSE (sse_convert.h).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> avxConvertLowerings();

}  // namespace qm::soft
