// String instructions: MOVS STOS LODS CMPS SCAS with their repeats (SDM 2). INS and OUTS are the system families'.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> stringLowerings();

}  // namespace qm::soft
