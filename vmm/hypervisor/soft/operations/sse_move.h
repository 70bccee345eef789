// Moves between vector registers and memory (SDM 2): MOVAPS … MOVQ, shuffles by whole lanes, MXCSR's LDMXCSR and
// STMXCSR.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseMoveLowerings();

}  // namespace qm::soft
