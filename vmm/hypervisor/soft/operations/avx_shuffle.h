// What puts lanes of AVX and AVX2 in another order: shuffles, permutations, unpacking, packing, widening, blends,
// broadcasts of lanes, and VMPSADBW (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> avxShuffleLowerings();

}  // namespace qm::soft
