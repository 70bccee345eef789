#include "vmm/hypervisor/soft/operations/sse_crypto.h"

#include "vmm/hypervisor/soft/host/host_cpu.h"
#include "vmm/hypervisor/soft/operations/vex_operand.h"

namespace qm::soft {

namespace {

// Named as in the manual.

constexpr auto kAesenc = [](__m128i a, __m128i b) {
  asm("aesenc %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kAesenclast = [](__m128i a, __m128i b) {
  asm("aesenclast %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kAesdec = [](__m128i a, __m128i b) {
  asm("aesdec %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kAesdeclast = [](__m128i a, __m128i b) {
  asm("aesdeclast %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kAesimc = [](__m128i a, __m128i b) {
  asm("aesimc %1, %0" : "=x"(a) : "x"(b));
  return a;
};

// The immediate is a round constant, which comes to the dwords 1 and 3 at the very end.
constexpr auto kAeskeygenassist = [](__m128i /*a*/, __m128i b, std::uint8_t constant) {
  __m128i words;
  asm("aeskeygenassist $0, %1, %0" : "=x"(words) : "x"(b));
  return _mm_xor_si128(words, _mm_set_epi32(constant, 0, constant, 0));
};

// Bits 0 and 4 of the immediate choose the halves of destination and source.
constexpr auto kPclmulqdq = [](__m128i a, __m128i b, std::uint8_t halves) {
  if ((halves & 0x01U) != 0) a = _mm_unpackhi_epi64(a, a);
  if ((halves & 0x10U) != 0) b = _mm_unpackhi_epi64(b, b);
  asm("pclmulqdq $0, %1, %0" : "+x"(a) : "x"(b));
  return a;
};

// Beyond what openSoft() demands of a host: where the host has it not, it is not modelled (#UD), as CPUID says.
template <Lower lower>
bool whereThereIsAes(const Instruction& instruction, Emitter& emitter) {
  return hostCan().aes && lower(instruction, emitter);
}
template <Lower lower>
bool whereThereIsPclmul(const Instruction& instruction, Emitter& emitter) {
  return hostCan().pclmul && lower(instruction, emitter);
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_AESENC, &whereThereIsAes<lowerPacked<kAesenc>>},
    Lowering{ZYDIS_MNEMONIC_AESENCLAST, &whereThereIsAes<lowerPacked<kAesenclast>>},
    Lowering{ZYDIS_MNEMONIC_AESDEC, &whereThereIsAes<lowerPacked<kAesdec>>},
    Lowering{ZYDIS_MNEMONIC_AESDECLAST, &whereThereIsAes<lowerPacked<kAesdeclast>>},
    Lowering{ZYDIS_MNEMONIC_AESIMC, &whereThereIsAes<lowerPacked<kAesimc>>},
    Lowering{ZYDIS_MNEMONIC_AESKEYGENASSIST, &whereThereIsAes<lowerSelected<kAeskeygenassist>>},
    Lowering{ZYDIS_MNEMONIC_PCLMULQDQ, &whereThereIsPclmul<lowerSelected<kPclmulqdq>>},
    // Their VEX.128 forms.
    Lowering{ZYDIS_MNEMONIC_VAESIMC, &whereThereIsAes<lowerVex<"66.0F38 DB">>},
    Lowering{ZYDIS_MNEMONIC_VAESENC, &whereThereIsAes<lowerVex<"NDS.66.0F38 DC">>},
    Lowering{ZYDIS_MNEMONIC_VAESENCLAST, &whereThereIsAes<lowerVex<"NDS.66.0F38 DD">>},
    Lowering{ZYDIS_MNEMONIC_VAESDEC, &whereThereIsAes<lowerVex<"NDS.66.0F38 DE">>},
    Lowering{ZYDIS_MNEMONIC_VAESDECLAST, &whereThereIsAes<lowerVex<"NDS.66.0F38 DF">>},
    Lowering{ZYDIS_MNEMONIC_VPCLMULQDQ, &whereThereIsPclmul<lowerVex<"NDS.66.0F3A 44 ib5">>},
    Lowering{ZYDIS_MNEMONIC_VAESKEYGENASSIST, &whereThereIsAes<lowerVex<"66.0F3A DF ib">>},
};

}  // namespace

std::span<const Lowering> sseCryptoLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
