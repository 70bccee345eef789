// What puts lanes in another order, packs, unpacks, widens or blends them: PSHUFx SHUFPx PUNPCKx UNPCKx PACKx PMOVSX..
// PMOVZX.. PBLENDx BLENDx, and MPSADBW (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseShuffleLowerings();

}  // namespace qm::soft
