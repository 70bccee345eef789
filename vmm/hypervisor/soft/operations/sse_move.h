// Moves between vector registers, general registers and memory (SDM 2): MOVAPS … MOVQ.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseMoveLowerings();

}  // namespace qm::soft
