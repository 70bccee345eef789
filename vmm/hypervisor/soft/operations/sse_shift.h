// Shifts of lanes and of whole registers: PSLLx PSRLx PSRAx PSLLDQ PSRLDQ PALIGNR (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseShiftLowerings();

}  // namespace qm::soft
