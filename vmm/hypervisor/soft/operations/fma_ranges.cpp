#include "vmm/hypervisor/soft/operations/fma_ranges.h"

#include <xmmintrin.h>

#include <algorithm>

#include "vmm/hypervisor/soft/operations/simd_exceptions.h"
#include "vmm/hypervisor/soft/operations/simd_ranges.h"
#include "vmm/hypervisor/soft/operations/sse_control.h"

namespace qm::soft {

namespace {

constexpr std::uint32_t kDenormalsAreZeros = 1U << 6U;

// Of one format: how many bits its fraction has, and how far exponents are moved: beyond what a product can be away.
struct Format {
  unsigned fractionBits, exponentBits;
  int shift, smallest;  // the least exponent that moving may end at: small enough to be lost in rounding

  std::uint64_t fraction() const { return (std::uint64_t{1} << fractionBits) - 1; }
  std::uint64_t maxExponent() const { return (std::uint64_t{1} << exponentBits) - 1; }
  int bias() const { return static_cast<int>(maxExponent() >> 1U); }
  std::uint64_t one() const { return static_cast<std::uint64_t>(bias()) << fractionBits; }
};

constexpr Format formatOf(unsigned bytes) {
  return bytes == 4 ? Format{.fractionBits = 23, .exponentBits = 8, .shift = 160, .smallest = -120}
                    : Format{.fractionBits = 52, .exponentBits = 11, .shift = 1200, .smallest = -1000};
}

std::uint64_t laneOf(const Vector& vector, unsigned bytes, unsigned lane) {
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, vector.bytes.data() + lane * bytes, bytes);
  return bits;
}

void setLane(Vector& vector, unsigned bytes, unsigned lane, std::uint64_t bits) {
  __builtin_memcpy(vector.bytes.data() + lane * bytes, &bits, bytes);
}

// A finite number that is not zero, as exponent and digits.
struct Number {
  bool isFiniteAndNotZero = false;
  std::uint64_t sign = 0, digits = 0;  // the digits without their leading one
  int exponent = 0;
};

Number numberOf(std::uint64_t bits, const Format& format, std::uint32_t control) {
  Number number{.sign = bits >> (format.fractionBits + format.exponentBits)};
  const std::uint64_t stored = bits >> format.fractionBits & format.maxExponent();
  std::uint64_t digits = bits & format.fraction();
  if (stored == format.maxExponent()) return number;
  if (stored == 0 && (digits == 0 || (control & kDenormalsAreZeros) != 0)) return number;
  number.isFiniteAndNotZero = true;
  number.exponent = static_cast<int>(stored) - format.bias();
  if (stored == 0) {
    number.exponent = 1 - format.bias();
    for (; digits <= format.fraction(); digits <<= 1U) --number.exponent;
  }
  number.digits = digits & format.fraction();
  return number;
}

std::uint64_t bitsOf(const Number& number, int exponent, const Format& format) {
  const int stored = exponent + format.bias();
  return number.sign << (format.fractionBits + format.exponentBits) |
         static_cast<std::uint64_t>(stored) << format.fractionBits | number.digits;
}

struct Roles {
  Vector* factor;
  Vector* otherFactor;
  Vector* addend;
};

Roles rolesOf(FusedOrder order, ThreeVectors& operands) {
  switch (order) {
    case FusedOrder::of132:
      return {.factor = &operands.destination, .otherFactor = &operands.last, .addend = &operands.first};
    case FusedOrder::of213:
      return {.factor = &operands.first, .otherFactor = &operands.destination, .addend = &operands.last};
    case FusedOrder::of231:
      break;
  }
  return {.factor = &operands.first, .otherFactor = &operands.last, .addend = &operands.destination};
}

// The lane's product and addend times 2 to the power of `shift`, the product's shared between its factors. What would
// become too small for that is so small beside the other that only its being there counts.
ThreeVectors moved(const FusedRanges& ranges, ThreeVectors operands, unsigned lane, int shift, std::uint32_t control) {
  const Format format = formatOf(ranges.bytes);
  const Roles roles = rolesOf(ranges.order, operands);
  const auto number = [&](const Vector* of) { return numberOf(laneOf(*of, ranges.bytes, lane), format, control); };
  const Number a = number(roles.factor), b = number(roles.otherFactor), c = number(roles.addend);
  if (a.isFiniteAndNotZero && b.isFiniteAndNotZero) {
    const int exponent = std::max(a.exponent + b.exponent + shift, format.smallest);
    setLane(*roles.factor, ranges.bytes, lane, bitsOf(a, exponent / 2, format));
    setLane(*roles.otherFactor, ranges.bytes, lane, bitsOf(b, exponent - exponent / 2, format));
  }
  if (c.isFiniteAndNotZero)
    setLane(*roles.addend, ranges.bytes, lane, bitsOf(c, std::max(c.exponent + shift, format.smallest), format));
  return operands;
}

// A lane's operands, with ones in all others: one and one, or one less one, has no flag.
ThreeVectors alone(const FusedRanges& ranges, const ThreeVectors& all, unsigned lane) {
  ThreeVectors lone;
  const std::uint64_t one = formatOf(ranges.bytes).one();
  const auto take = [&](const Vector& from, Vector& to) {
    for (unsigned i = 0; i < sizeof(Vector) / ranges.bytes; ++i)
      setLane(to, ranges.bytes, i, i == lane ? laneOf(from, ranges.bytes, i) : one);
  };
  take(all.destination, lone.destination);
  take(all.first, lone.first);
  take(all.last, lone.last);
  return lone;
}

struct Run {
  Vector result;
  std::uint32_t flags;
};

Run run(FusedOperation apply, const ThreeVectors& operands, std::uint32_t control) {
  _mm_setcsr(control);
  const Vector result = apply(operands);
  return {.result = result, .flags = _mm_getcsr() & mxcsr::kFlags};
}

// The flags of one lane (SDM 1, 4.9.1.4, 4.9.1.5 and 11.5.2).
std::uint32_t flagsOf(const FusedRanges& ranges, FusedOperation apply, const ThreeVectors& all, unsigned lane,
                      std::uint32_t control, std::uint32_t letThrough) {
  const Format format = formatOf(ranges.bytes);
  const ThreeVectors lone = alone(ranges, all, lane);
  Run once = run(apply, lone, control);
  const std::uint64_t result = laneOf(once.result, ranges.bytes, lane);
  const bool isDenormal =
      (result >> format.fractionBits & format.maxExponent()) == 0 && (result & format.fraction()) != 0;
  if (isDenormal) once.flags |= letThrough & mxcsr::kUnderflow;
  const bool isTooLarge = (once.flags & letThrough & mxcsr::kOverflow) != 0,
             isTooSmall = (once.flags & letThrough & mxcsr::kUnderflow) != 0;
  if (!(isTooLarge || isTooSmall) || (once.flags & mxcsr::kPrecision) == 0) return once.flags;
  const int shift = isTooLarge ? -format.shift : format.shift;
  const Run again = run(apply, moved(ranges, lone, lane, shift, control), control);
  return (again.flags & mxcsr::kPrecision) != 0 ? once.flags : once.flags & ~mxcsr::kPrecision;
}

}  // namespace

bool endFusedByLanes(Cpu& cpu, const FusedRanges& ranges, FusedOperation apply, std::span<const ThreeVectors> parts) {
  return endLettingThrough(cpu, [&](std::uint32_t control, std::uint32_t letThrough) {
    std::uint32_t flags = 0;
    for (const ThreeVectors& part : parts) {
      for (unsigned lane = 0; lane < ranges.lanes; ++lane)
        flags |= flagsOf(ranges, apply, part, lane, control, letThrough);
    }
    return flags;
  });
}

}  // namespace qm::soft
