#include "vmm/hypervisor/soft/operations/sse_shuffle.h"

#include "vmm/hypervisor/soft/operations/byte_shuffle.h"
#include "vmm/hypervisor/soft/operations/vector_operand.h"

namespace qm::soft {

namespace {

// ---- shuffles: two bits of the immediate choose the source of each of four lanes, which are `laneBytes` wide, begin
// at byte `first` and come from among themselves; the rest of the register stays where it is

constexpr ByteTable shufflesOf(std::size_t laneBytes, std::size_t first) {
  ByteTable table{};
  for (std::size_t immediate = 0; immediate < table.size(); ++immediate) {
    for (std::size_t i = 0; i < table[immediate].bytes.size(); ++i) {
      const bool isShuffled = i >= first && i < first + 4 * laneBytes;
      const std::size_t lane = (i - first) / laneBytes, from = immediate >> (2 * lane % 8) & 3U;
      table[immediate].bytes[i] =
          static_cast<std::byte>(isShuffled ? first + from * laneBytes + (i - first) % laneBytes : i);
    }
  }
  return table;
}

constexpr ByteTable kDwordShuffles = shufflesOf(4, 0), kLowWordShuffles = shufflesOf(2, 0),
                    kHighWordShuffles = shufflesOf(2, 8);

template <const ByteTable& shuffles>
struct Shuffle {
  static constexpr auto kApply = [](__m128i /*a*/, __m128i b, std::uint8_t immediate) {
    return shuffleBytes(b, at(shuffles, immediate));
  };
};

__m128i lowAndHighHalf(__m128i low, __m128i high) {
  return _mm_castpd_si128(_mm_move_sd(_mm_castsi128_pd(high), _mm_castsi128_pd(low)));
}

// SHUFPS: two lanes of the destination, then two of the source.
constexpr auto kShuffleSingles = [](__m128i a, __m128i b, std::uint8_t immediate) {
  const __m128i control = at(kDwordShuffles, immediate);
  return lowAndHighHalf(shuffleBytes(a, control), shuffleBytes(b, control));
};

// SHUFPD: bit 0 chooses of the destination, bit 1 of the source.
constexpr auto kShuffleDoubles = [](__m128i a, __m128i b, std::uint8_t immediate) {
  const __m128i low = (immediate & 1U) != 0 ? _mm_unpackhi_epi64(a, a) : a;
  return (immediate & 2U) != 0 ? lowAndHighHalf(low, b) : _mm_unpacklo_epi64(low, b);
};

constexpr auto kPshufb = [](__m128i a, __m128i b) { return shuffleBytes(a, b); };

constexpr auto kPackusdw = [](__m128i a, __m128i b) {
  asm("packusdw %1, %0" : "+x"(a) : "x"(b));
  return a;
};

// ---- widening, named as in the manual; of a memory operand only what is widened is read

constexpr auto kPmovsxbw = [](__m128i a, __m128i b) {
  asm("pmovsxbw %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPmovsxbd = [](__m128i a, __m128i b) {
  asm("pmovsxbd %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPmovsxbq = [](__m128i a, __m128i b) {
  asm("pmovsxbq %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPmovsxwd = [](__m128i a, __m128i b) {
  asm("pmovsxwd %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPmovsxwq = [](__m128i a, __m128i b) {
  asm("pmovsxwq %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPmovsxdq = [](__m128i a, __m128i b) {
  asm("pmovsxdq %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPmovzxbw = [](__m128i a, __m128i b) {
  asm("pmovzxbw %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPmovzxbd = [](__m128i a, __m128i b) {
  asm("pmovzxbd %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPmovzxbq = [](__m128i a, __m128i b) {
  asm("pmovzxbq %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPmovzxwd = [](__m128i a, __m128i b) {
  asm("pmovzxwd %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPmovzxwq = [](__m128i a, __m128i b) {
  asm("pmovzxwq %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPmovzxdq = [](__m128i a, __m128i b) {
  asm("pmovzxdq %1, %0" : "=x"(a) : "x"(b));
  return a;
};

template <auto apply, class Memory>
bool lowerWidening(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kTable = bySourceRarely<Packed<apply>::template From, Scalar<Memory>::template From>();
  lowerVector(instruction, emitter, kTable);
  return true;
}

// ---- blends by the immediate's bits: words; dwords and qwords are two and four of them

constexpr auto kBlend = [](__m128i a, __m128i b, std::uint8_t words) { return select(at(kWordMasks, words), a, b); };

template <unsigned lanes>
bool lowerBlend(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kTable = bySource<Selected<kBlend>::template From, FromAligned>();
  lowerVector(instruction, emitter, kTable).detail = wordsOfLanes<lanes>(instruction.operand(2).imm.value.u);
  return true;
}

// ---- blends by the signs in xmm0

template <auto signs>
struct BlendBySigns {
  template <class Source>
  struct From {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      __m128i value;
      if (!Source::read(cpu, op, value)) return false;
      setXmm(cpu, op.to, select(signs(xmm(cpu, 0)), xmm(cpu, op.to), value));
      return true;
    }
  };
};

constexpr auto kByteSigns = [](__m128i a) { return _mm_cmpgt_epi8(_mm_setzero_si128(), a); };
constexpr auto kDwordSigns = [](__m128i a) { return _mm_srai_epi32(a, 31); };
constexpr auto kQwordSigns = [](__m128i a) { return _mm_shuffle_epi32(_mm_srai_epi32(a, 31), 0xf5); };

template <auto signs>
bool lowerBlendBySigns(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kTable = bySource<BlendBySigns<signs>::template From, FromAligned>();
  lowerVector(instruction, emitter, kTable);
  return true;
}

// MPSADBW: bit 2 of the immediate chooses where the eleven bytes of the destination begin, bits 0 and 1 the four of the
// source.
constexpr auto kMpsadbw = [](__m128i a, __m128i b, std::uint8_t immediate) {
  __m128i sums = bytesFrom(a, (immediate & 4U) != 0 ? 4 : 0);
  asm("mpsadbw $0, %1, %0" : "+x"(sums) : "x"(bytesFrom(b, static_cast<int>(immediate & 3U) * 4)));
  return sums;
};

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_PSHUFB, &lowerPacked<kPshufb>},
    Lowering{ZYDIS_MNEMONIC_PSHUFD, &lowerSelected<Shuffle<kDwordShuffles>::kApply>},
    Lowering{ZYDIS_MNEMONIC_PSHUFLW, &lowerSelected<Shuffle<kLowWordShuffles>::kApply>},
    Lowering{ZYDIS_MNEMONIC_PSHUFHW, &lowerSelected<Shuffle<kHighWordShuffles>::kApply>},
    Lowering{ZYDIS_MNEMONIC_SHUFPS, &lowerSelected<kShuffleSingles>},
    Lowering{ZYDIS_MNEMONIC_SHUFPD, &lowerSelected<kShuffleDoubles>},
    Lowering{ZYDIS_MNEMONIC_PUNPCKLBW, &lowerPacked<_mm_unpacklo_epi8>},
    Lowering{ZYDIS_MNEMONIC_PUNPCKLWD, &lowerPacked<_mm_unpacklo_epi16>},
    Lowering{ZYDIS_MNEMONIC_PUNPCKLDQ, &lowerPacked<_mm_unpacklo_epi32>},
    Lowering{ZYDIS_MNEMONIC_PUNPCKLQDQ, &lowerPacked<_mm_unpacklo_epi64>},
    Lowering{ZYDIS_MNEMONIC_PUNPCKHBW, &lowerPacked<_mm_unpackhi_epi8>},
    Lowering{ZYDIS_MNEMONIC_PUNPCKHWD, &lowerPacked<_mm_unpackhi_epi16>},
    Lowering{ZYDIS_MNEMONIC_PUNPCKHDQ, &lowerPacked<_mm_unpackhi_epi32>},
    Lowering{ZYDIS_MNEMONIC_PUNPCKHQDQ, &lowerPacked<_mm_unpackhi_epi64>},
    Lowering{ZYDIS_MNEMONIC_UNPCKLPS, &lowerPacked<_mm_unpacklo_epi32>},
    Lowering{ZYDIS_MNEMONIC_UNPCKLPD, &lowerPacked<_mm_unpacklo_epi64>},
    Lowering{ZYDIS_MNEMONIC_UNPCKHPS, &lowerPacked<_mm_unpackhi_epi32>},
    Lowering{ZYDIS_MNEMONIC_UNPCKHPD, &lowerPacked<_mm_unpackhi_epi64>},
    Lowering{ZYDIS_MNEMONIC_PACKSSWB, &lowerPacked<_mm_packs_epi16>},
    Lowering{ZYDIS_MNEMONIC_PACKSSDW, &lowerPacked<_mm_packs_epi32>},
    Lowering{ZYDIS_MNEMONIC_PACKUSWB, &lowerPacked<_mm_packus_epi16>},
    Lowering{ZYDIS_MNEMONIC_PACKUSDW, &lowerPacked<kPackusdw>},
    Lowering{ZYDIS_MNEMONIC_PMOVSXBW, &lowerWidening<kPmovsxbw, std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_PMOVSXBD, &lowerWidening<kPmovsxbd, std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_PMOVSXBQ, &lowerWidening<kPmovsxbq, std::uint16_t>},
    Lowering{ZYDIS_MNEMONIC_PMOVSXWD, &lowerWidening<kPmovsxwd, std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_PMOVSXWQ, &lowerWidening<kPmovsxwq, std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_PMOVSXDQ, &lowerWidening<kPmovsxdq, std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_PMOVZXBW, &lowerWidening<kPmovzxbw, std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_PMOVZXBD, &lowerWidening<kPmovzxbd, std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_PMOVZXBQ, &lowerWidening<kPmovzxbq, std::uint16_t>},
    Lowering{ZYDIS_MNEMONIC_PMOVZXWD, &lowerWidening<kPmovzxwd, std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_PMOVZXWQ, &lowerWidening<kPmovzxwq, std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_PMOVZXDQ, &lowerWidening<kPmovzxdq, std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_PBLENDW, &lowerBlend<8>},
    Lowering{ZYDIS_MNEMONIC_BLENDPS, &lowerBlend<4>},
    Lowering{ZYDIS_MNEMONIC_BLENDPD, &lowerBlend<2>},
    Lowering{ZYDIS_MNEMONIC_PBLENDVB, &lowerBlendBySigns<kByteSigns>},
    Lowering{ZYDIS_MNEMONIC_BLENDVPS, &lowerBlendBySigns<kDwordSigns>},
    Lowering{ZYDIS_MNEMONIC_BLENDVPD, &lowerBlendBySigns<kQwordSigns>},
    Lowering{ZYDIS_MNEMONIC_MPSADBW, &lowerSelected<kMpsadbw>},
};

}  // namespace

std::span<const Lowering> sseShuffleLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
