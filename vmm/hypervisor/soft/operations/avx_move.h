// Moves of AVX and AVX2: whole registers, halves, scalars, and of general registers; VZEROUPPER and VZEROALL (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> avxMoveLowerings();

}  // namespace qm::soft
