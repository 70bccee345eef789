// Fused results that leave the range of their type, for a guest that lets over- or underflows through; as simd_ranges.h
// does it for two operands.
#pragma once

#include <cstdint>
#include <span>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

// Which operands are factors (SDM 2, VFMADD132PD: 1 is the destination, 2 the first source, 3 the last): of 132 the
// destination and the last, of 213 the first and the destination, of 231 the first and the last.
enum class FusedOrder : std::uint8_t { of132, of213, of231 };

struct FusedRanges {
  FusedOrder order;
  std::uint8_t bytes;  // of a lane
  std::uint8_t lanes;
};

struct ThreeVectors {
  Vector destination, first, last;
};
// One instruction of the host.
using FusedOperation = Vector (*)(const ThreeVectors&);

// After beginLettingThrough() and the instruction; each of `parts` is what 16 bytes of its result are made from. False:
// raised.
bool endFusedByLanes(Cpu& cpu, const FusedRanges& ranges, FusedOperation apply, std::span<const ThreeVectors> parts);

}  // namespace qm::soft
