// The x87 FPU (SDM 1, chapter 8; SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> x87Lowerings();

}  // namespace qm::soft
