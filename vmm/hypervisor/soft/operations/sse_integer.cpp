#include "vmm/hypervisor/soft/operations/sse_integer.h"

#include "vmm/hypervisor/soft/operations/vector_operand.h"

namespace qm::soft {

namespace {

// ---- SSSE3, SSE4.1 and SSE4.2, named as in the manual

constexpr auto kPmulld = [](__m128i a, __m128i b) {
  asm("pmulld %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPmuldq = [](__m128i a, __m128i b) {
  asm("pmuldq %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPminsb = [](__m128i a, __m128i b) {
  asm("pminsb %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPminuw = [](__m128i a, __m128i b) {
  asm("pminuw %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPminud = [](__m128i a, __m128i b) {
  asm("pminud %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPminsd = [](__m128i a, __m128i b) {
  asm("pminsd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPmaxsb = [](__m128i a, __m128i b) {
  asm("pmaxsb %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPmaxuw = [](__m128i a, __m128i b) {
  asm("pmaxuw %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPmaxud = [](__m128i a, __m128i b) {
  asm("pmaxud %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPmaxsd = [](__m128i a, __m128i b) {
  asm("pmaxsd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPcmpeqq = [](__m128i a, __m128i b) {
  asm("pcmpeqq %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPcmpgtq = [](__m128i a, __m128i b) {
  asm("pcmpgtq %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPhaddw = [](__m128i a, __m128i b) {
  asm("phaddw %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPhaddd = [](__m128i a, __m128i b) {
  asm("phaddd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPhaddsw = [](__m128i a, __m128i b) {
  asm("phaddsw %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPhsubw = [](__m128i a, __m128i b) {
  asm("phsubw %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPhsubd = [](__m128i a, __m128i b) {
  asm("phsubd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPhsubsw = [](__m128i a, __m128i b) {
  asm("phsubsw %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPmaddubsw = [](__m128i a, __m128i b) {
  asm("pmaddubsw %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPsignb = [](__m128i a, __m128i b) {
  asm("psignb %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPsignw = [](__m128i a, __m128i b) {
  asm("psignw %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPsignd = [](__m128i a, __m128i b) {
  asm("psignd %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPmulhrsw = [](__m128i a, __m128i b) {
  asm("pmulhrsw %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kPabsb = [](__m128i a, __m128i b) {
  asm("pabsb %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPabsw = [](__m128i a, __m128i b) {
  asm("pabsw %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPabsd = [](__m128i a, __m128i b) {
  asm("pabsd %1, %0" : "=x"(a) : "x"(b));
  return a;
};
constexpr auto kPhminposuw = [](__m128i a, __m128i b) {
  asm("phminposuw %1, %0" : "=x"(a) : "x"(b));
  return a;
};

// ---- PTEST: ZF and CF from two ands, every other flag cleared

template <class Source>
struct Test {
  static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
    __m128i value;
    if (!Source::read(cpu, op, value)) return false;
    std::uint32_t after;
    asm("ptest %2, %1\n\tlahf\n\tseto %%al" : "=&a"(after) : "x"(xmm(cpu, op.to)), "x"(value) : "cc");
    flags = after;
    return true;
  }
};

bool lowerTest(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kTable = bySource<Test, FromAligned>();
  lowerVector(instruction, emitter, kTable);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_PADDB, &lowerPacked<_mm_add_epi8>},
    Lowering{ZYDIS_MNEMONIC_PADDW, &lowerPacked<_mm_add_epi16>},
    Lowering{ZYDIS_MNEMONIC_PADDD, &lowerPacked<_mm_add_epi32>},
    Lowering{ZYDIS_MNEMONIC_PADDQ, &lowerPacked<_mm_add_epi64>},
    Lowering{ZYDIS_MNEMONIC_PADDSB, &lowerPacked<_mm_adds_epi8>},
    Lowering{ZYDIS_MNEMONIC_PADDSW, &lowerPacked<_mm_adds_epi16>},
    Lowering{ZYDIS_MNEMONIC_PADDUSB, &lowerPacked<_mm_adds_epu8>},
    Lowering{ZYDIS_MNEMONIC_PADDUSW, &lowerPacked<_mm_adds_epu16>},
    Lowering{ZYDIS_MNEMONIC_PSUBB, &lowerPacked<_mm_sub_epi8>},
    Lowering{ZYDIS_MNEMONIC_PSUBW, &lowerPacked<_mm_sub_epi16>},
    Lowering{ZYDIS_MNEMONIC_PSUBD, &lowerPacked<_mm_sub_epi32>},
    Lowering{ZYDIS_MNEMONIC_PSUBQ, &lowerPacked<_mm_sub_epi64>},
    Lowering{ZYDIS_MNEMONIC_PSUBSB, &lowerPacked<_mm_subs_epi8>},
    Lowering{ZYDIS_MNEMONIC_PSUBSW, &lowerPacked<_mm_subs_epi16>},
    Lowering{ZYDIS_MNEMONIC_PSUBUSB, &lowerPacked<_mm_subs_epu8>},
    Lowering{ZYDIS_MNEMONIC_PSUBUSW, &lowerPacked<_mm_subs_epu16>},
    Lowering{ZYDIS_MNEMONIC_PMULLW, &lowerPacked<_mm_mullo_epi16>},
    Lowering{ZYDIS_MNEMONIC_PMULHW, &lowerPacked<_mm_mulhi_epi16>},
    Lowering{ZYDIS_MNEMONIC_PMULHUW, &lowerPacked<_mm_mulhi_epu16>},
    Lowering{ZYDIS_MNEMONIC_PMULUDQ, &lowerPacked<_mm_mul_epu32>},
    Lowering{ZYDIS_MNEMONIC_PMADDWD, &lowerPacked<_mm_madd_epi16>},
    Lowering{ZYDIS_MNEMONIC_PAVGB, &lowerPacked<_mm_avg_epu8>},
    Lowering{ZYDIS_MNEMONIC_PAVGW, &lowerPacked<_mm_avg_epu16>},
    Lowering{ZYDIS_MNEMONIC_PSADBW, &lowerPacked<_mm_sad_epu8>},
    Lowering{ZYDIS_MNEMONIC_PMINUB, &lowerPacked<_mm_min_epu8>},
    Lowering{ZYDIS_MNEMONIC_PMAXUB, &lowerPacked<_mm_max_epu8>},
    Lowering{ZYDIS_MNEMONIC_PMINSW, &lowerPacked<_mm_min_epi16>},
    Lowering{ZYDIS_MNEMONIC_PMAXSW, &lowerPacked<_mm_max_epi16>},
    Lowering{ZYDIS_MNEMONIC_PCMPEQB, &lowerPacked<_mm_cmpeq_epi8>},
    Lowering{ZYDIS_MNEMONIC_PCMPEQW, &lowerPacked<_mm_cmpeq_epi16>},
    Lowering{ZYDIS_MNEMONIC_PCMPEQD, &lowerPacked<_mm_cmpeq_epi32>},
    Lowering{ZYDIS_MNEMONIC_PCMPGTB, &lowerPacked<_mm_cmpgt_epi8>},
    Lowering{ZYDIS_MNEMONIC_PCMPGTW, &lowerPacked<_mm_cmpgt_epi16>},
    Lowering{ZYDIS_MNEMONIC_PCMPGTD, &lowerPacked<_mm_cmpgt_epi32>},
    Lowering{ZYDIS_MNEMONIC_PAND, &lowerPacked<_mm_and_si128>},
    Lowering{ZYDIS_MNEMONIC_PANDN, &lowerPacked<_mm_andnot_si128>},
    Lowering{ZYDIS_MNEMONIC_POR, &lowerPacked<_mm_or_si128>},
    Lowering{ZYDIS_MNEMONIC_PXOR, &lowerPacked<_mm_xor_si128>},
    Lowering{ZYDIS_MNEMONIC_ANDPS, &lowerPacked<_mm_and_si128>},
    Lowering{ZYDIS_MNEMONIC_ANDPD, &lowerPacked<_mm_and_si128>},
    Lowering{ZYDIS_MNEMONIC_ANDNPS, &lowerPacked<_mm_andnot_si128>},
    Lowering{ZYDIS_MNEMONIC_ANDNPD, &lowerPacked<_mm_andnot_si128>},
    Lowering{ZYDIS_MNEMONIC_ORPS, &lowerPacked<_mm_or_si128>},
    Lowering{ZYDIS_MNEMONIC_ORPD, &lowerPacked<_mm_or_si128>},
    Lowering{ZYDIS_MNEMONIC_XORPS, &lowerPacked<_mm_xor_si128>},
    Lowering{ZYDIS_MNEMONIC_XORPD, &lowerPacked<_mm_xor_si128>},
    Lowering{ZYDIS_MNEMONIC_PMULLD, &lowerPacked<kPmulld>},
    Lowering{ZYDIS_MNEMONIC_PMULDQ, &lowerPacked<kPmuldq>},
    Lowering{ZYDIS_MNEMONIC_PMINSB, &lowerPacked<kPminsb>},
    Lowering{ZYDIS_MNEMONIC_PMINUW, &lowerPacked<kPminuw>},
    Lowering{ZYDIS_MNEMONIC_PMINUD, &lowerPacked<kPminud>},
    Lowering{ZYDIS_MNEMONIC_PMINSD, &lowerPacked<kPminsd>},
    Lowering{ZYDIS_MNEMONIC_PMAXSB, &lowerPacked<kPmaxsb>},
    Lowering{ZYDIS_MNEMONIC_PMAXUW, &lowerPacked<kPmaxuw>},
    Lowering{ZYDIS_MNEMONIC_PMAXUD, &lowerPacked<kPmaxud>},
    Lowering{ZYDIS_MNEMONIC_PMAXSD, &lowerPacked<kPmaxsd>},
    Lowering{ZYDIS_MNEMONIC_PCMPEQQ, &lowerPacked<kPcmpeqq>},
    Lowering{ZYDIS_MNEMONIC_PCMPGTQ, &lowerPacked<kPcmpgtq>},
    Lowering{ZYDIS_MNEMONIC_PHADDW, &lowerPacked<kPhaddw>},
    Lowering{ZYDIS_MNEMONIC_PHADDD, &lowerPacked<kPhaddd>},
    Lowering{ZYDIS_MNEMONIC_PHADDSW, &lowerPacked<kPhaddsw>},
    Lowering{ZYDIS_MNEMONIC_PHSUBW, &lowerPacked<kPhsubw>},
    Lowering{ZYDIS_MNEMONIC_PHSUBD, &lowerPacked<kPhsubd>},
    Lowering{ZYDIS_MNEMONIC_PHSUBSW, &lowerPacked<kPhsubsw>},
    Lowering{ZYDIS_MNEMONIC_PMADDUBSW, &lowerPacked<kPmaddubsw>},
    Lowering{ZYDIS_MNEMONIC_PSIGNB, &lowerPacked<kPsignb>},
    Lowering{ZYDIS_MNEMONIC_PSIGNW, &lowerPacked<kPsignw>},
    Lowering{ZYDIS_MNEMONIC_PSIGND, &lowerPacked<kPsignd>},
    Lowering{ZYDIS_MNEMONIC_PMULHRSW, &lowerPacked<kPmulhrsw>},
    Lowering{ZYDIS_MNEMONIC_PABSB, &lowerPacked<kPabsb>},
    Lowering{ZYDIS_MNEMONIC_PABSW, &lowerPacked<kPabsw>},
    Lowering{ZYDIS_MNEMONIC_PABSD, &lowerPacked<kPabsd>},
    Lowering{ZYDIS_MNEMONIC_PHMINPOSUW, &lowerPacked<kPhminposuw>},
    Lowering{ZYDIS_MNEMONIC_PTEST, &lowerTest},
};

}  // namespace

std::span<const Lowering> sseIntegerLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
