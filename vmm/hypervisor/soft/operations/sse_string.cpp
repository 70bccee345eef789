#include "vmm/hypervisor/soft/operations/sse_string.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "vmm/hypervisor/soft/operations/vex_operand.h"

namespace qm::soft {

namespace {

constexpr std::uint8_t kRaxPlace = 0, kRcxPlace = 8, kRdxPlace = 16;

// The immediate (SDM 2, 4.1): of its low six bits each combination is an instruction of the host of its own. Bit 6
// says only how the bits of the result are written down, so that is done here; bit 7 has no meaning.
constexpr unsigned kComparisons = 64;
constexpr std::uint8_t kWords = 1U << 0U, kOtherWay = 1U << 6U;

// A bit for each element of the second operand (IntRes2), and the flags.
struct Compared {
  std::uint32_t bits;
  Flags flags;
};

struct Lengths {
  std::uint32_t first, second;
};

using CompareImplicit = Compared (*)(__m128i a, __m128i b);
using CompareExplicit = Compared (*)(__m128i a, __m128i b, Lengths lengths);

template <unsigned comparison>
Compared compareImplicit(__m128i a, __m128i b) {
  std::uint32_t flags;
  __m128i bits;
  asm("pcmpistrm %4, %3, %2\n\tlahf\n\tseto %%al" : "=&a"(flags), "=Yz"(bits) : "x"(a), "x"(b), "i"(comparison) : "cc");
  return {.bits = lowOf<std::uint32_t>(bits), .flags = flags};
}

template <unsigned comparison>
Compared compareExplicit(__m128i a, __m128i b, Lengths lengths) {
  std::uint32_t flags = lengths.first;
  __m128i bits;
  asm("pcmpestrm %4, %3, %2\n\tlahf\n\tseto %%al"
      : "+a"(flags), "=Yz"(bits)
      : "x"(a), "x"(b), "i"(comparison), "d"(lengths.second)
      : "cc");
  return {.bits = lowOf<std::uint32_t>(bits), .flags = flags};
}

constexpr auto kImplicit = []<unsigned... i>(std::integer_sequence<unsigned, i...>) {
  return std::array<CompareImplicit, kComparisons>{&compareImplicit<i>...};
}(std::make_integer_sequence<unsigned, kComparisons>());
constexpr auto kExplicit = []<unsigned... i>(std::integer_sequence<unsigned, i...>) {
  return std::array<CompareExplicit, kComparisons>{&compareExplicit<i>...};
}(std::make_integer_sequence<unsigned, kComparisons>());

// ---- lengths: their absolute value, and no more than fits

template <class T>
std::uint32_t lengthIn(const Cpu& cpu, std::uint8_t place) {
  const T value = reg<T>(cpu, place);
  const bool isNegative = value >> (8 * sizeof(T) - 1) != 0;
  return static_cast<std::uint32_t>(std::min<T>(isNegative ? T{0} - value : value, sizeof(Vector)));
}

struct Implicit {
  static Compared compare(const Cpu& /*cpu*/, __m128i a, __m128i b, std::uint8_t immediate) {
    return kImplicit[immediate % kComparisons](a, b);
  }
};

// T: the lengths are in eax and edx, or in rax and rdx.
template <class T>
struct Explicit {
  static Compared compare(const Cpu& cpu, __m128i a, __m128i b, std::uint8_t immediate) {
    return kExplicit[immediate % kComparisons](
        a, b, {.first = lengthIn<T>(cpu, kRaxPlace), .second = lengthIn<T>(cpu, kRdxPlace)});
  }
};

// ---- results

// Into ecx: the lowest bit or the highest, or the number of elements.
std::uint32_t indexOf(std::uint32_t bits, std::uint8_t immediate) {
  if (bits == 0) return (immediate & kWords) != 0 ? 8 : 16;
  return (immediate & kOtherWay) != 0 ? 31U - static_cast<std::uint32_t>(std::countl_zero(bits))
                                      : static_cast<std::uint32_t>(std::countr_zero(bits));
}

// Into xmm0: bits as they are, or each as an element of ones or zeros.
__m128i maskOf(std::uint32_t bits, std::uint8_t immediate) {
  if ((immediate & kOtherWay) == 0) return zeroExtended(bits);
  const unsigned elementBytes = (immediate & kWords) != 0 ? 2 : 1;
  Vector mask;
  for (unsigned i = 0; i < mask.bytes.size(); ++i)
    mask.bytes[i] = (bits >> i / elementBytes & 1U) != 0 ? std::byte{0xff} : std::byte{0};
  return _mm_load_si128(reinterpret_cast<const __m128i*>(&mask));
}

template <class How>
struct Index {
  template <class Source>
  struct From {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      __m128i value;
      if (!Source::read(cpu, op, value)) return false;
      const Compared compared = How::compare(cpu, xmm(cpu, op.to), value, op.detail);
      setReg(cpu, kRcxPlace, indexOf(compared.bits, op.detail));
      flags = compared.flags;
      return true;
    }
  };
};

template <class How>
struct Mask {
  template <class Source>
  struct From {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      __m128i value;
      if (!Source::read(cpu, op, value)) return false;
      const Compared compared = How::compare(cpu, xmm(cpu, op.to), value, op.detail);
      setXmm(cpu, 0, maskOf(compared.bits, op.detail));
      flags = compared.flags;
      return true;
    }
  };
};

bool hasWideLengths(const Instruction& instruction) {
  const auto& raw = instruction.raw.raw;
  if (instruction.raw.encoding == ZYDIS_INSTRUCTION_ENCODING_VEX) return raw.vex.W != 0;
  return instruction.has(ZYDIS_ATTRIB_HAS_REX) && raw.rex.W != 0;
}

// Memory operands need no alignment.
template <template <class> class Result>
bool lowerImplicit(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kTable = bySourceRarely<Result<Implicit>::template From, FromUnaligned>();
  lowerVector(instruction, emitter, kTable);
  return true;
}

template <template <class> class Result>
bool lowerExplicit(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kNarrow =
                                   bySourceRarely<Result<Explicit<std::uint32_t>>::template From, FromUnaligned>(),
                               kWide = bySourceRarely<Result<Explicit<std::uint64_t>>::template From, FromUnaligned>();
  lowerVector(instruction, emitter, hasWideLengths(instruction) ? kWide : kNarrow);
  return true;
}

// VEX-encoded, with a mask that clears what is above it.
template <Lower lower>
bool lowerClearing(const Instruction& instruction, Emitter& emitter) {
  if (!lower(instruction, emitter)) return false;
  addClearUpper(emitter, 0);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_PCMPISTRI, &lowerImplicit<Index>},
    Lowering{ZYDIS_MNEMONIC_PCMPISTRM, &lowerImplicit<Mask>},
    Lowering{ZYDIS_MNEMONIC_PCMPESTRI, &lowerExplicit<Index>},
    Lowering{ZYDIS_MNEMONIC_PCMPESTRM, &lowerExplicit<Mask>},
    Lowering{ZYDIS_MNEMONIC_VPCMPISTRI, &lowerImplicit<Index>},
    Lowering{ZYDIS_MNEMONIC_VPCMPESTRI, &lowerExplicit<Index>},
    Lowering{ZYDIS_MNEMONIC_VPCMPISTRM, &lowerClearing<&lowerImplicit<Mask>>},
    Lowering{ZYDIS_MNEMONIC_VPCMPESTRM, &lowerClearing<&lowerExplicit<Mask>>},
};

}  // namespace

std::span<const Lowering> sseStringLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
