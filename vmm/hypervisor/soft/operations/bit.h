// Bits: BT BTS BTR BTC BSF BSR LZCNT TZCNT POPCNT, and flags set by name: CLC STC CMC CLD STD (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> bitLowerings();

}  // namespace qm::soft
