// Compare and exchange: CMPXCHG CMPXCHG8B CMPXCHG16B XADD, locked or not (SDM 2).
// Memory is written whether the comparison holds or not, so it faults as a write does. CMPXCHG8B is atomic without LOCK
// too, which no program can tell. CMPXCHG16B wants its alignment.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> exchangeLowerings();

}  // namespace qm::soft
