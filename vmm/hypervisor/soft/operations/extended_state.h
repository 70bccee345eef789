// FXSAVE FXRSTOR XSAVE XSAVEOPT XRSTOR XGETBV XSETBV (SDM 1, chapter 13).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> extendedStateLowerings();

}  // namespace qm::soft
