#include "vmm/hypervisor/soft/operations/simd_exceptions.h"

#include <xmmintrin.h>

#include <optional>

#include "vmm/hypervisor/soft/operations/sse_control.h"

namespace qm::soft {

namespace {

constexpr std::uint32_t kUnderflow = 0x10, kPrecision = 0x20, kFlushToZero = 1U << 15U;

std::uint32_t letThrough(const Cpu& cpu) {
  return ~cpu.mxcsr >> mxcsr::kMasksShift & mxcsr::kFlags;
}

// With the guest's control bits and no flags. Flushing to zero is the masked response to an underflow only.
std::uint32_t cleanControl(const Cpu& cpu) {
  const std::uint32_t control = (cpu.mxcsr | mxcsr::kMasks) & ~mxcsr::kFlags;
  return (letThrough(cpu) & kUnderflow) != 0 ? control & ~kFlushToZero : control;
}

// The host's flags become the guest's, and the host is as it always is.
void giveBack(Cpu& cpu, std::uint32_t flags) {
  cpu.mxcsr |= flags;
  _mm_setcsr(cpu.mxcsr | mxcsr::kMasks);
}

// SDM 1, 11.5.4: what is found before computing stops the instruction before what would be found after. `flags`: of the
// instruction alone.
bool settle(Cpu& cpu, std::uint32_t flags) {
  const std::uint32_t raised = flags & letThrough(cpu);
  giveBack(cpu, (raised & mxcsr::kBeforeComputation) != 0 ? flags & mxcsr::kBeforeComputation : flags);
  if (raised == 0) return true;
  const bool isExpected = (cpu.system.cr4 & cr4::kOsxmmexcpt) != 0;
  return raise(cpu, isExpected ? Exception::simdFloatingPoint : Exception::invalidOpcode);
}

// ---- lanes

struct Lanes {
  unsigned count;        // that are computed
  unsigned bytes;        // of one of the operands
  unsigned resultBytes;  // of one of the result
  bool arePaired = false;
};

std::optional<Lanes> lanesOf(Underflow underflow) {
  switch (underflow) {
    case Underflow::single:
      return Lanes{.count = 1, .bytes = 4, .resultBytes = 4};
    case Underflow::singles:
      return Lanes{.count = 4, .bytes = 4, .resultBytes = 4};
    case Underflow::pairedSingles:
      return Lanes{.count = 4, .bytes = 4, .resultBytes = 4, .arePaired = true};
    case Underflow::oneDouble:
      return Lanes{.count = 1, .bytes = 8, .resultBytes = 8};
    case Underflow::doubles:
      return Lanes{.count = 2, .bytes = 8, .resultBytes = 8};
    case Underflow::pairedDoubles:
      return Lanes{.count = 2, .bytes = 8, .resultBytes = 8, .arePaired = true};
    case Underflow::narrowed:
      return Lanes{.count = 1, .bytes = 8, .resultBytes = 4};
    case Underflow::narrowedPairs:
      return Lanes{.count = 2, .bytes = 8, .resultBytes = 4};
    case Underflow::never:
      break;
  }
  return std::nullopt;
}

// Ones harm nobody: neither their sum, difference, product nor quotient has a flag.
Vector onesIn(const Lanes& lanes) {
  Vector ones;
  _mm_store_si128(reinterpret_cast<__m128i*>(&ones),
                  lanes.bytes == 4 ? _mm_set1_epi32(0x3f80'0000) : _mm_set1_epi64x(0x3ff0'0000'0000'0000));
  return ones;
}

void copyLanes(const Lanes& lanes, Vector& to, unsigned toLane, const Vector& from, unsigned fromLane, unsigned count) {
  __builtin_memcpy(to.bytes.data() + toLane * lanes.bytes, from.bytes.data() + fromLane * lanes.bytes,
                   count * lanes.bytes);
}

// Not zero, and its exponent is.
bool isDenormal(const Lanes& lanes, const Vector& value, unsigned lane) {
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, value.bytes.data() + lane * lanes.resultBytes, lanes.resultBytes);
  const std::uint64_t exponent = lanes.resultBytes == 4 ? 0x7f80'0000U : 0x7ff0'0000'0000'0000U,
                      fraction = lanes.resultBytes == 4 ? 0x007f'ffffU : 0x000f'ffff'ffff'ffffU;
  return (bits & exponent) == 0 && (bits & fraction) != 0;
}

Vector vectorOf(__m128i value) {
  Vector vector;
  _mm_store_si128(reinterpret_cast<__m128i*>(&vector), value);
  return vector;
}
__m128i hostOf(const Vector& vector) {
  return _mm_load_si128(reinterpret_cast<const __m128i*>(&vector));
}

// A finite number's significand, with the exponent of one: what is computed of such neither over- nor underflows, and
// is rounded as if exponents had no end.
std::uint64_t significand(std::uint64_t bits, unsigned bytes) {
  const unsigned fractionBits = bytes == 4 ? 23 : 52;
  const std::uint64_t implied = std::uint64_t{1} << fractionBits, sign = bits >> (8 * bytes - 1) << (8 * bytes - 1);
  const std::uint64_t one = bytes == 4 ? 0x3f80'0000U : 0x3ff0'0000'0000'0000U;
  const bool isDenormalOrZero = (bits & ~sign) < implied;
  std::uint64_t fraction = bits & (implied - 1);
  if (isDenormalOrZero) {
    while (fraction != 0 && (fraction & implied) == 0) fraction <<= 1U;
  }
  return sign | one | (fraction & (implied - 1));
}

Vector significandOf(const Lanes& lanes, Vector value, unsigned lane) {
  std::uint64_t bits = 0;
  __builtin_memcpy(&bits, value.bytes.data() + lane * lanes.bytes, lanes.bytes);
  bits = significand(bits, lanes.bytes);
  __builtin_memcpy(value.bytes.data() + lane * lanes.bytes, &bits, lanes.bytes);
  return value;
}

std::uint32_t flagsOf(const Cpu& cpu, TwoOperands apply, const Vector& a, const Vector& b, Vector& result) {
  _mm_setcsr(cleanControl(cpu));
  result = vectorOf(apply(hostOf(a), hostOf(b)));
  return _mm_getcsr() & mxcsr::kFlags;
}

// The flags of all lanes. One that underflows is inexact if it were with an exponent as small as it needs; sums always
// are exact then.
std::uint32_t flagsLaneByLane(const Cpu& cpu, TwoOperands apply, const Lanes& lanes, const Vector& a, const Vector& b) {
  std::uint32_t all = 0;
  for (unsigned lane = 0; lane < lanes.count; ++lane) {
    Vector loneA = onesIn(lanes), loneB = loneA;
    unsigned place = lane;  // of the lane's result
    if (lanes.arePaired) {  // the first half of the result is the destination's pairs, the second the source's
      const unsigned half = lanes.count / 2;
      copyLanes(lanes, loneA, 0, lane < half ? a : b, 2 * (lane % half), 2);
      place = 0;
    } else {
      copyLanes(lanes, loneA, lane, a, lane, 1);
      copyLanes(lanes, loneB, lane, b, lane, 1);
    }
    Vector result;
    std::uint32_t flags = flagsOf(cpu, apply, loneA, loneB, result);
    if (isDenormal(lanes, result, place) || (flags & kUnderflow) != 0) {
      flags |= kUnderflow;
      const Vector wideA = significandOf(lanes, loneA, place), wideB = significandOf(lanes, loneB, place);
      if ((flags & kPrecision) != 0 && (flagsOf(cpu, apply, wideA, wideB, result) & kPrecision) == 0)
        flags &= ~kPrecision;
    }
    all |= flags;
  }
  return all;
}

}  // namespace

void beginLettingThrough(Cpu& cpu) {
  cpu.mxcsr = currentMxcsr(cpu);
  _mm_setcsr(cleanControl(cpu));
}

bool endLettingThrough(Cpu& cpu) {
  return settle(cpu, _mm_getcsr() & mxcsr::kFlags);
}

bool applyLettingThrough(Cpu& cpu, TwoOperands apply, Underflow underflow, __m128i a, __m128i b, __m128i& result) {
  beginLettingThrough(cpu);
  result = apply(a, b);
  std::uint32_t flags = _mm_getcsr() & mxcsr::kFlags;
  const auto lanes = lanesOf(underflow);
  if (lanes && (letThrough(cpu) & kUnderflow) != 0)
    flags = flagsLaneByLane(cpu, apply, *lanes, vectorOf(a), vectorOf(b));
  return settle(cpu, flags);
}

}  // namespace qm::soft
