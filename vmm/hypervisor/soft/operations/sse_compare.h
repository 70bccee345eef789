// Comparisons of floating-point lanes: CMPPS CMPPD CMPSS CMPSD into masks, COMISx UCOMISx into flags (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseCompareLowerings();

}  // namespace qm::soft
