#include "vmm/hypervisor/soft/operations/simd_ranges.h"

#include <xmmintrin.h>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/operations/sse_control.h"

namespace qm::soft {

namespace {

struct Operands {
  Vector a, b;
};

Vector vectorOf(__m128i value) {
  Vector vector;
  _mm_store_si128(reinterpret_cast<__m128i*>(&vector), value);
  return vector;
}

__m128i hostOf(const Vector& vector) {
  return _mm_load_si128(reinterpret_cast<const __m128i*>(&vector));
}

std::uint64_t laneOf(const Vector& vector, unsigned bytes, unsigned lane) {
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, vector.bytes.data() + lane * bytes, bytes);
  return bits;
}

void setLane(Vector& vector, unsigned bytes, unsigned lane, std::uint64_t bits) {
  __builtin_memcpy(vector.bytes.data() + lane * bytes, &bits, bytes);
}

// ---- numbers by their bits (SDM 1, 4.2.2)

struct Format {
  std::uint64_t sign, exponent, fraction;              // masks
  std::uint64_t one;                                   // 1.0
  std::uint64_t step() const { return fraction + 1; }  // of the exponent; the significand's leading one, too
};

constexpr Format formatOf(unsigned bytes) {
  if (bytes == 2) return {.sign = 0x8000, .exponent = 0x7c00, .fraction = 0x03ff, .one = 0x3c00};
  return bytes == 4 ? Format{.sign = 0x8000'0000, .exponent = 0x7f80'0000, .fraction = 0x007f'ffff, .one = 0x3f80'0000}
                    : Format{.sign = 0x8000'0000'0000'0000,
                             .exponent = 0x7ff0'0000'0000'0000,
                             .fraction = 0x000f'ffff'ffff'ffff,
                             .one = 0x3ff0'0000'0000'0000};
}

bool isDenormal(std::uint64_t bits, const Format& format) {
  return (bits & format.exponent) == 0 && (bits & format.fraction) != 0;
}

// The same digits, between one and two.
std::uint64_t significand(std::uint64_t bits, const Format& format) {
  std::uint64_t digits = bits & format.fraction;
  if (isDenormal(bits, format)) {
    while ((digits & format.step()) == 0) digits <<= 1U;
  }
  return (bits & format.sign) | format.one | (digits & format.fraction);
}

// A quarter. What is too small for that is so small that to a sum that overflows it is but not nothing.
std::uint64_t quarter(std::uint64_t bits, const Format& format) {
  return (bits & format.exponent) > 2 * format.step() ? bits - 2 * format.step() : bits;
}

// ---- lanes

// A lane's operands, with ones in all others: neither their sum, difference, product nor quotient has a flag. `place`
// is where the lane's result comes out.
Operands alone(const Ranges& ranges, const Operands& all, unsigned lane, unsigned& place) {
  const std::uint64_t one = formatOf(ranges.bytes).one;
  Operands lone;
  for (unsigned i = 0; i < sizeof(Vector) / ranges.bytes; ++i) {
    setLane(lone.a, ranges.bytes, i, one);
    setLane(lone.b, ranges.bytes, i, one);
  }
  if (!ranges.arePaired) {
    setLane(lone.a, ranges.bytes, lane, laneOf(all.a, ranges.bytes, lane));
    setLane(lone.b, ranges.bytes, lane, laneOf(all.b, ranges.bytes, lane));
    place = lane;
    return lone;
  }
  // The result's first half is the destination's pairs, its second the source's.
  const unsigned half = ranges.lanes / 2U, first = 2 * (lane % half);
  const Vector& pairs = lane < half ? all.a : all.b;
  setLane(lone.a, ranges.bytes, 0, laneOf(pairs, ranges.bytes, first));
  setLane(lone.a, ranges.bytes, 1, laneOf(pairs, ranges.bytes, first + 1));
  place = 0;
  return lone;
}

// Every lane's exponent moved away from the ends.
Operands moved(const Ranges& ranges, Operands operands) {
  const Format format = formatOf(ranges.bytes);
  for (Vector* vector : {&operands.a, &operands.b}) {
    for (unsigned i = 0; i < sizeof(Vector) / ranges.bytes; ++i) {
      const std::uint64_t bits = laneOf(*vector, ranges.bytes, i);
      if (!ranges.areDenormalsMoved && isDenormal(bits, format)) continue;
      setLane(*vector, ranges.bytes, i,
              ranges.kind == Ranges::Kind::scaled ? significand(bits, format) : quarter(bits, format));
    }
  }
  return operands;
}

struct Run {
  Vector result;
  std::uint32_t flags;
};

Run run(TwoOperands apply, const Operands& operands, std::uint32_t control) {
  _mm_setcsr(control);
  const Vector result = vectorOf(apply(hostOf(operands.a), hostOf(operands.b)));
  return {.result = result, .flags = _mm_getcsr() & mxcsr::kFlags};
}

}  // namespace

std::uint32_t flagsLaneByLane(const Ranges& ranges, TwoOperands apply, __m128i a, __m128i b, std::uint32_t control,
                              std::uint32_t letThrough) {
  const Operands all{.a = vectorOf(a), .b = vectorOf(b)};
  std::uint32_t flags = 0;
  for (unsigned lane = 0; lane < ranges.lanes; ++lane) {
    unsigned place = 0;
    const Operands lone = alone(ranges, all, lane, place);
    Run once = run(apply, lone, control);
    if (isDenormal(laneOf(once.result, ranges.resultBytes, place), formatOf(ranges.resultBytes)))
      once.flags |= letThrough & mxcsr::kUnderflow;
    const bool leavesRange = (once.flags & letThrough & (mxcsr::kOverflow | mxcsr::kUnderflow)) != 0;
    // A sum that is tiny is exact, and its run has said so.
    if (leavesRange && (once.flags & mxcsr::kPrecision) != 0 &&
        (run(apply, moved(ranges, lone), control).flags & mxcsr::kPrecision) == 0)
      once.flags &= ~mxcsr::kPrecision;
    flags |= once.flags;
  }
  return flags;
}

}  // namespace qm::soft
