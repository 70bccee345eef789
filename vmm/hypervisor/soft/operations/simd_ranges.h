// Results that leave the range of their type, for a guest that lets over- or underflows through. What a run of the host
// with everything masked does not show (SDM 1, 4.9.1.4, 4.9.1.5 and 11.5.2): an unmasked underflow comes of every tiny
// result, an exact one too; and whether a result that over- or underflows unmasked is also inexact follows from
// rounding it as if exponents had no end. So lanes are run one by one, and once more with exponents in the middle.
#pragma once

#include <emmintrin.h>

#include <cstdint>

namespace qm::soft {

// One instruction of the host: of destination and source.
using TwoOperands = __m128i (*)(__m128i, __m128i);

// The lanes of a result that may leave their range.
struct Ranges {
  // How the same digits come about with other exponents.
  enum class Kind : std::uint8_t {
    scaled,  // products, quotients and conversions: from any exponents
    summed,  // from exponents that differ as much
  };
  Kind kind;
  std::uint8_t lanes;        // 0: the instruction has no such
  std::uint8_t bytes;        // of a lane of the operands
  std::uint8_t resultBytes;  // of a lane of the result
  bool arePaired = false;    // a lane follows from two beside each other; else from the same one of both operands
  // Whether an operand that is denormal is looked at by its digits, as any. VCVTPS2PH does not: what underflows for it
  // is inexact, few as the digits may be (the processors that this was compared with).
  bool areDenormalsMoved = true;
};

constexpr Ranges singles(Ranges::Kind kind, std::uint8_t lanes) {
  return {.kind = kind, .lanes = lanes, .bytes = 4, .resultBytes = 4};
}
constexpr Ranges doubles(Ranges::Kind kind, std::uint8_t lanes) {
  return {.kind = kind, .lanes = lanes, .bytes = 8, .resultBytes = 8};
}
// Singles of doubles.
constexpr Ranges narrowed(std::uint8_t lanes) {
  return {.kind = Ranges::Kind::scaled, .lanes = lanes, .bytes = 8, .resultBytes = 4};
}
inline constexpr Ranges kNever = singles(Ranges::Kind::scaled, 0);
inline constexpr Ranges kPairsOfSingles{
    .kind = Ranges::Kind::summed, .lanes = 4, .bytes = 4, .resultBytes = 4, .arePaired = true};
inline constexpr Ranges kPairsOfDoubles{
    .kind = Ranges::Kind::summed, .lanes = 2, .bytes = 8, .resultBytes = 8, .arePaired = true};

// The flags of all lanes together. `control`: MXCSR with every exception masked and no flags. `letThrough`: in the
// places of the flags. Leaves the host's MXCSR as it comes.
std::uint32_t flagsLaneByLane(const Ranges& ranges, TwoOperands apply, __m128i a, __m128i b, std::uint32_t control,
                              std::uint32_t letThrough);

}  // namespace qm::soft
