// MOVD MOVQ MOVNTQ MASKMOVQ MOVQ2DQ MOVDQ2Q PINSRW PEXTRW PMOVMSKB with MMX registers, and EMMS (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> mmxMoveLowerings();

}  // namespace qm::soft
