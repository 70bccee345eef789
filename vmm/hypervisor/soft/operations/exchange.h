// Compare and exchange: CMPXCHG CMPXCHG8B CMPXCHG16B XADD, locked or not (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> exchangeLowerings();

}  // namespace qm::soft
