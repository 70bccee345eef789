#include "vmm/hypervisor/soft/operations/sse_sha.h"

#include "vmm/hypervisor/soft/host/host_cpu.h"
#include "vmm/hypervisor/soft/operations/vector_operand.h"

namespace qm::soft {

namespace {

// Named as in the manual.

constexpr auto kSha1msg1 = [](__m128i a, __m128i b) {
  asm("sha1msg1 %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kSha1msg2 = [](__m128i a, __m128i b) {
  asm("sha1msg2 %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kSha1nexte = [](__m128i a, __m128i b) {
  asm("sha1nexte %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kSha256msg1 = [](__m128i a, __m128i b) {
  asm("sha256msg1 %1, %0" : "+x"(a) : "x"(b));
  return a;
};
constexpr auto kSha256msg2 = [](__m128i a, __m128i b) {
  asm("sha256msg2 %1, %0" : "+x"(a) : "x"(b));
  return a;
};

// The low two bits of the immediate choose function and constant.
constexpr auto kSha1rnds4 = [](__m128i a, __m128i b, std::uint8_t rounds) {
  switch (rounds & 3U) {
    case 0:
      asm("sha1rnds4 $0, %1, %0" : "+x"(a) : "x"(b));
      break;
    case 1:
      asm("sha1rnds4 $1, %1, %0" : "+x"(a) : "x"(b));
      break;
    case 2:
      asm("sha1rnds4 $2, %1, %0" : "+x"(a) : "x"(b));
      break;
    default:
      asm("sha1rnds4 $3, %1, %0" : "+x"(a) : "x"(b));
      break;
  }
  return a;
};

// The rounds' constants are in xmm0.
template <class Source>
struct Sha256rnds2 {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    __m128i value;
    if (!Source::read(cpu, op, value)) return false;
    __m128i state = xmm(cpu, op.to);
    asm("sha256rnds2 %2, %1, %0" : "+x"(state) : "x"(value), "Yz"(xmm(cpu, 0)));
    setXmm(cpu, op.to, state);
    return true;
  }
};

bool lowerSha256rnds2(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kTable = bySourceRarely<Sha256rnds2, FromAligned>();
  lowerVector(instruction, emitter, kTable);
  return true;
}

// Where the host has it not, it is not modelled (#UD), as CPUID says.
template <Lower lower>
bool whereThereIsSha(const Instruction& instruction, Emitter& emitter) {
  return hostCan().sha && lower(instruction, emitter);
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_SHA1MSG1, &whereThereIsSha<lowerPacked<kSha1msg1>>},
    Lowering{ZYDIS_MNEMONIC_SHA1MSG2, &whereThereIsSha<lowerPacked<kSha1msg2>>},
    Lowering{ZYDIS_MNEMONIC_SHA1NEXTE, &whereThereIsSha<lowerPacked<kSha1nexte>>},
    Lowering{ZYDIS_MNEMONIC_SHA1RNDS4, &whereThereIsSha<lowerSelected<kSha1rnds4>>},
    Lowering{ZYDIS_MNEMONIC_SHA256MSG1, &whereThereIsSha<lowerPacked<kSha256msg1>>},
    Lowering{ZYDIS_MNEMONIC_SHA256MSG2, &whereThereIsSha<lowerPacked<kSha256msg2>>},
    Lowering{ZYDIS_MNEMONIC_SHA256RNDS2, &whereThereIsSha<lowerSha256rnds2>},
};

}  // namespace

std::span<const Lowering> sseShaLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
