// Floating-point arithmetic of AVX: the instructions of SSE with three operands and with lanes twice as many, and
// comparisons by all 32 predicates (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> avxFloatLowerings();

}  // namespace qm::soft
