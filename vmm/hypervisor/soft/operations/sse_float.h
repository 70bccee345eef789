// Floating-point arithmetic of SSE to SSE4.1, rounding and dot products (SDM 2; SDM 1, chapters 10 to 12).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"
#include "vmm/hypervisor/soft/operations/simd_exceptions.h"

namespace qm::soft {

std::span<const Lowering> sseFloatLowerings();

// The exceptions of a dot product, if the guest lets some through: those of products, of sums and of the sum of sums
// are looked at one after the other (SDM 2, DPPS). `words` has ones where factors are chosen, the same in each of one
// part or two (VDPPS's; of doubles there is one). False: raised.
bool dotProductOfSinglesPasses(Cpu& cpu, __m128i words, std::span<const TwoVectors> parts);
bool dotProductOfDoublesPasses(Cpu& cpu, __m128i words, std::span<const TwoVectors> parts);

}  // namespace qm::soft
