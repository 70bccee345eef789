// Multiplication and division: MUL IMUL DIV IDIV (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> muldivLowerings();

}  // namespace qm::soft
