#include "vmm/hypervisor/soft/operations/sse_float.h"

#include "vmm/hypervisor/soft/operations/byte_shuffle.h"
#include "vmm/hypervisor/soft/operations/simd_exceptions.h"

namespace qm::soft {

namespace {

// Named as in the manual.

constexpr auto kAddps = [](__m128i a, __m128i b) {
  asm volatile("addps %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kAddpd = [](__m128i a, __m128i b) {
  asm volatile("addpd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kAddss = [](__m128i a, __m128i b) {
  asm volatile("addss %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kAddsd = [](__m128i a, __m128i b) {
  asm volatile("addsd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kSubps = [](__m128i a, __m128i b) {
  asm volatile("subps %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kSubpd = [](__m128i a, __m128i b) {
  asm volatile("subpd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kSubss = [](__m128i a, __m128i b) {
  asm volatile("subss %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kSubsd = [](__m128i a, __m128i b) {
  asm volatile("subsd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kMulps = [](__m128i a, __m128i b) {
  asm volatile("mulps %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kMulpd = [](__m128i a, __m128i b) {
  asm volatile("mulpd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kMulss = [](__m128i a, __m128i b) {
  asm volatile("mulss %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kMulsd = [](__m128i a, __m128i b) {
  asm volatile("mulsd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kDivps = [](__m128i a, __m128i b) {
  asm volatile("divps %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kDivpd = [](__m128i a, __m128i b) {
  asm volatile("divpd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kDivss = [](__m128i a, __m128i b) {
  asm volatile("divss %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kDivsd = [](__m128i a, __m128i b) {
  asm volatile("divsd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kMinps = [](__m128i a, __m128i b) {
  asm volatile("minps %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kMinpd = [](__m128i a, __m128i b) {
  asm volatile("minpd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kMinss = [](__m128i a, __m128i b) {
  asm volatile("minss %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kMinsd = [](__m128i a, __m128i b) {
  asm volatile("minsd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kMaxps = [](__m128i a, __m128i b) {
  asm volatile("maxps %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kMaxpd = [](__m128i a, __m128i b) {
  asm volatile("maxpd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kMaxss = [](__m128i a, __m128i b) {
  asm volatile("maxss %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kMaxsd = [](__m128i a, __m128i b) {
  asm volatile("maxsd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kSqrtps = [](__m128i a, __m128i b) {
  asm volatile("sqrtps %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kSqrtpd = [](__m128i a, __m128i b) {
  asm volatile("sqrtpd %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kSqrtss = [](__m128i a, __m128i b) {
  asm volatile("sqrtss %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kSqrtsd = [](__m128i a, __m128i b) {
  asm volatile("sqrtsd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kAddsubps = [](__m128i a, __m128i b) {
  asm volatile("addsubps %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kAddsubpd = [](__m128i a, __m128i b) {
  asm volatile("addsubpd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kHaddps = [](__m128i a, __m128i b) {
  asm volatile("haddps %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kHaddpd = [](__m128i a, __m128i b) {
  asm volatile("haddpd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kHsubps = [](__m128i a, __m128i b) {
  asm volatile("hsubps %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kHsubpd = [](__m128i a, __m128i b) {
  asm volatile("hsubpd %1, %0" : "+x"(a) : "x"(b));
  return a;
};

// Approximations, which raise nothing (SDM 2).
constexpr auto kRcpps = [](__m128i a, __m128i b) {
  asm("rcpps %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kRsqrtps = [](__m128i a, __m128i b) {
  asm("rsqrtps %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kRcpss = [](__m128i a, __m128i b) {
  asm("rcpss %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kRsqrtss = [](__m128i a, __m128i b) {
  asm("rsqrtss %1, %0" : "+x"(a) : "x"(b));
  return a;
};

// ---- ROUNDx: the low four bits of the immediate count

template <unsigned mode>
struct Roundps {
  static constexpr auto kApply = [](__m128i a, __m128i b) {
    asm volatile("roundps %2, %1, %0" : "=x"(a) : "x"(b), "i"(mode));
    return a;
  };
};

template <unsigned mode>
struct Roundpd {
  static constexpr auto kApply = [](__m128i a, __m128i b) {
    asm volatile("roundpd %2, %1, %0" : "=x"(a) : "x"(b), "i"(mode));
    return a;
  };
};

template <unsigned mode>
struct Roundss {
  static constexpr auto kApply = [](__m128i a, __m128i b) {
    asm volatile("roundss %2, %1, %0" : "+x"(a) : "x"(b), "i"(mode));
    return a;
  };
};

template <unsigned mode>
struct Roundsd {
  static constexpr auto kApply = [](__m128i a, __m128i b) {
    asm volatile("roundsd %2, %1, %0" : "+x"(a) : "x"(b), "i"(mode));
    return a;
  };
};

// ---- DPPS, DPPD: the high half of the immediate chooses what is multiplied, the low half where the sum goes

template <unsigned factors>
struct Dpps {
  static constexpr auto kApply = [](__m128i a, __m128i b) {
    asm volatile("dpps %2, %1, %0" : "+x"(a) : "x"(b), "i"(factors << 4U | 0xfU));
    return a;
  };
};

template <unsigned factors>
struct Dppd {
  static constexpr auto kApply = [](__m128i a, __m128i b) {
    asm volatile("dppd %2, %1, %0" : "+x"(a) : "x"(b), "i"(factors << 4U | 0x3U));
    return a;
  };
};

// `third` is the words of the operands that are chosen, `detail` those of the result that the sum goes to.
template <auto apply, auto passes>
struct DotProduct {
  template <class Source>
  struct From {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      __m128i value;
      if (!Source::read(cpu, op, value)) return false;
      const __m128i destination = xmm(cpu, op.to);
      const TwoVectors part{.a = destination, .b = value};
      if (cpu.simdUnmasked && !passes(cpu, at(kWordMasks, op.third), std::span(&part, 1))) [[unlikely]]
        return false;
      setXmm(cpu, op.to, _mm_and_si128(apply(destination, value), at(kWordMasks, op.detail)));
      return true;
    }
  };
};

template <template <unsigned> class Choice, auto passes, unsigned lanes>
bool lowerDotProduct(const Instruction& instruction, Emitter& emitter) {
  static constexpr auto kTables = []<unsigned... i>(std::integer_sequence<unsigned, i...>) {
    return std::array{bySourceRarely<DotProduct<Choice<i>::kApply, passes>::template From, FromAligned>()...};
  }(std::make_integer_sequence<unsigned, 1U << lanes>());
  const std::uint64_t immediate = instruction.operand(2).imm.value.u;
  Operation& op = lowerVector(instruction, emitter, kTables[(immediate >> 4U) % kTables.size()]);
  op.third = wordsOfLanes<lanes>(immediate >> 4U);
  op.detail = wordsOfLanes<lanes>(immediate);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_ADDPS, &lowerFloating<kAddps, singles(Ranges::Kind::summed, 4), FromAligned>},
    Lowering{ZYDIS_MNEMONIC_ADDPD, &lowerFloating<kAddpd, doubles(Ranges::Kind::summed, 2), FromAligned>},
    Lowering{ZYDIS_MNEMONIC_ADDSS,
             &lowerFloating<kAddss, singles(Ranges::Kind::summed, 1), Scalar<std::uint32_t>::From>},
    Lowering{ZYDIS_MNEMONIC_ADDSD,
             &lowerFloating<kAddsd, doubles(Ranges::Kind::summed, 1), Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_SUBPS, &lowerFloating<kSubps, singles(Ranges::Kind::summed, 4), FromAligned>},
    Lowering{ZYDIS_MNEMONIC_SUBPD, &lowerFloating<kSubpd, doubles(Ranges::Kind::summed, 2), FromAligned>},
    Lowering{ZYDIS_MNEMONIC_SUBSS,
             &lowerFloating<kSubss, singles(Ranges::Kind::summed, 1), Scalar<std::uint32_t>::From>},
    Lowering{ZYDIS_MNEMONIC_SUBSD,
             &lowerFloating<kSubsd, doubles(Ranges::Kind::summed, 1), Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_MULPS, &lowerFloating<kMulps, singles(Ranges::Kind::scaled, 4), FromAligned>},
    Lowering{ZYDIS_MNEMONIC_MULPD, &lowerFloating<kMulpd, doubles(Ranges::Kind::scaled, 2), FromAligned>},
    Lowering{ZYDIS_MNEMONIC_MULSS,
             &lowerFloating<kMulss, singles(Ranges::Kind::scaled, 1), Scalar<std::uint32_t>::From>},
    Lowering{ZYDIS_MNEMONIC_MULSD,
             &lowerFloating<kMulsd, doubles(Ranges::Kind::scaled, 1), Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_DIVPS, &lowerFloating<kDivps, singles(Ranges::Kind::scaled, 4), FromAligned>},
    Lowering{ZYDIS_MNEMONIC_DIVPD, &lowerFloating<kDivpd, doubles(Ranges::Kind::scaled, 2), FromAligned>},
    Lowering{ZYDIS_MNEMONIC_DIVSS,
             &lowerFloating<kDivss, singles(Ranges::Kind::scaled, 1), Scalar<std::uint32_t>::From>},
    Lowering{ZYDIS_MNEMONIC_DIVSD,
             &lowerFloating<kDivsd, doubles(Ranges::Kind::scaled, 1), Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_MINPS, &lowerFloating<kMinps, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_MINPD, &lowerFloating<kMinpd, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_MINSS, &lowerFloating<kMinss, kNever, Scalar<std::uint32_t>::From>},
    Lowering{ZYDIS_MNEMONIC_MINSD, &lowerFloating<kMinsd, kNever, Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_MAXPS, &lowerFloating<kMaxps, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_MAXPD, &lowerFloating<kMaxpd, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_MAXSS, &lowerFloating<kMaxss, kNever, Scalar<std::uint32_t>::From>},
    Lowering{ZYDIS_MNEMONIC_MAXSD, &lowerFloating<kMaxsd, kNever, Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_SQRTPS, &lowerFloating<kSqrtps, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_SQRTPD, &lowerFloating<kSqrtpd, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_SQRTSS, &lowerFloating<kSqrtss, kNever, Scalar<std::uint32_t>::From>},
    Lowering{ZYDIS_MNEMONIC_SQRTSD, &lowerFloating<kSqrtsd, kNever, Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_ADDSUBPS, &lowerFloating<kAddsubps, singles(Ranges::Kind::summed, 4), FromAligned>},
    Lowering{ZYDIS_MNEMONIC_ADDSUBPD, &lowerFloating<kAddsubpd, doubles(Ranges::Kind::summed, 2), FromAligned>},
    Lowering{ZYDIS_MNEMONIC_HADDPS, &lowerFloating<kHaddps, kPairsOfSingles, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_HADDPD, &lowerFloating<kHaddpd, kPairsOfDoubles, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_HSUBPS, &lowerFloating<kHsubps, kPairsOfSingles, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_HSUBPD, &lowerFloating<kHsubpd, kPairsOfDoubles, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_RCPPS, &lowerPacked<kRcpps>},
    Lowering{ZYDIS_MNEMONIC_RSQRTPS, &lowerPacked<kRsqrtps>},
    Lowering{ZYDIS_MNEMONIC_RCPSS, &lowerPacked<kRcpss, Scalar<std::uint32_t>::From>},
    Lowering{ZYDIS_MNEMONIC_RSQRTSS, &lowerPacked<kRsqrtss, Scalar<std::uint32_t>::From>},
    Lowering{ZYDIS_MNEMONIC_ROUNDPS, &lowerFloatingChoice<Roundps, 4, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_ROUNDPD, &lowerFloatingChoice<Roundpd, 4, kNever, FromAligned>},
    Lowering{ZYDIS_MNEMONIC_ROUNDSS, &lowerFloatingChoice<Roundss, 4, kNever, Scalar<std::uint32_t>::From>},
    Lowering{ZYDIS_MNEMONIC_ROUNDSD, &lowerFloatingChoice<Roundsd, 4, kNever, Scalar<std::uint64_t>::From>},
    Lowering{ZYDIS_MNEMONIC_DPPS, &lowerDotProduct<Dpps, &dotProductOfSinglesPasses, 4>},
    Lowering{ZYDIS_MNEMONIC_DPPD, &lowerDotProduct<Dppd, &dotProductOfDoublesPasses, 2>},
};

}  // namespace

bool dotProductOfSinglesPasses(Cpu& cpu, __m128i words, std::span<const TwoVectors> parts) {
  const __m128i ones = _mm_set1_epi32(0x3f80'0000), zeros = _mm_setzero_si128();
  std::array<TwoVectors, 2> chosen{};
  std::array<__m128i, 2> terms{};
  for (std::size_t i = 0; i < parts.size(); ++i)
    chosen[i] = {.a = select(words, ones, parts[i].a), .b = select(words, ones, parts[i].b)};
  const auto now = std::span(chosen).first(parts.size());
  const auto chooseTerms = [&](__m128i which) {
    for (std::size_t i = 0; i < now.size(); ++i) now[i] = {.a = _mm_and_si128(terms[i], which), .b = zeros};
  };
  if (!applyLettingThrough(cpu, kMulps, singles(Ranges::Kind::scaled, 4), now, terms)) return false;
  chooseTerms(words);
  if (!applyLettingThrough(cpu, kHaddps, kPairsOfSingles, now, terms)) return false;
  chooseTerms(_mm_set1_epi32(-1));
  return applyLettingThrough(cpu, kHaddps, kPairsOfSingles, now, terms);
}

bool dotProductOfDoublesPasses(Cpu& cpu, __m128i words, std::span<const TwoVectors> parts) {
  const __m128i ones = _mm_set1_epi64x(0x3ff0'0000'0000'0000), zeros = _mm_setzero_si128();
  const TwoVectors chosen{.a = select(words, ones, parts[0].a), .b = select(words, ones, parts[0].b)};
  __m128i terms;
  if (!applyLettingThrough(cpu, kMulpd, doubles(Ranges::Kind::scaled, 2), chosen.a, chosen.b, terms)) return false;
  terms = _mm_and_si128(terms, words);
  return applyLettingThrough(cpu, kHaddpd, kPairsOfDoubles, terms, zeros, terms);
}

std::span<const Lowering> sseFloatLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
