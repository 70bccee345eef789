// Integer arithmetic, logic, comparison and shifts of AVX and AVX2, with the logic of floating-point lanes (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> avxIntegerLowerings();

}  // namespace qm::soft
