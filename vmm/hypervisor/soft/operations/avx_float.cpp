#include "vmm/hypervisor/soft/operations/avx_float.h"

#include "vmm/hypervisor/soft/operations/byte_shuffle.h"
#include "vmm/hypervisor/soft/operations/sse_float.h"
#include "vmm/hypervisor/soft/operations/vex_operand.h"

namespace qm::soft {

namespace {

// ---- VDPPS, VDPPD

template <VexEncoding encoding, unsigned lanes, auto passes>
struct DotProduct {
  template <VexLength length, class Source>
  struct With {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      constexpr VexSource kSource = Source::template kSource<Reads::whole, length>;
      SpareOperand spare;
      const void* const last = Source::template find<Reads::whole, length>(cpu, op, spare);
      if (last == nullptr) return false;
      if (!cpu.simdUnmasked) [[likely]] {
        runOnHost<encoding, length, kSource>(vexOperands(cpu, op, cpu.ymm[op.to], last));
        return true;
      }
      const SpareOperand copy = copyOf(last, kSource);
      const VexOperands operands = vexOperands(cpu, op, cpu.ymm[op.to], &copy);
      const __m128i words = at(kWordMasks, wordsOfLanes<lanes>(unsigned{op.detail} >> 4U));
      if (!passes(cpu, words, partsOf(operands, length, kSource).all())) return false;
      runOnHost<encoding, length, kSource>(operands);
      return true;
    }
  };
};

bool lowerDotProductOfSingles(const Instruction& instruction, Emitter& emitter) {
  using Body = DotProduct<"NDS.66.0F3A 40 ib", 4, &dotProductOfSinglesPasses>;
  static constexpr VectorTable kShort = vexTable<Body::With, VexLength::bits128>(),
                               kLong = vexTable<Body::With, VexLength::bits256>();
  const bool isLong = lengthOf(instruction, Reads::whole) == VexLength::bits256;
  addVex(instruction, emitter, "NDS.66.0F3A 40 ib", isLong ? kLong : kShort);
  return true;
}

bool lowerDotProductOfDoubles(const Instruction& instruction, Emitter& emitter) {
  using Body = DotProduct<"NDS.66.0F3A 41 ib", 2, &dotProductOfDoublesPasses>;
  static constexpr VectorTable kTable = vexTable<Body::With, VexLength::bits128>();
  addVex(instruction, emitter, "NDS.66.0F3A 41 ib", kTable);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_VSQRTPS, &lowerVex<"0F 51", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VSQRTPD, &lowerVex<"66.0F 51", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VSQRTSS, &lowerVex<"NDS.F3.0F 51", Reads::one32, kNever>},
    Lowering{ZYDIS_MNEMONIC_VSQRTSD, &lowerVex<"NDS.F2.0F 51", Reads::one64, kNever>},
    Lowering{ZYDIS_MNEMONIC_VRSQRTPS, &lowerVex<"0F 52">},
    Lowering{ZYDIS_MNEMONIC_VRSQRTSS, &lowerVex<"NDS.F3.0F 52", Reads::one32>},
    Lowering{ZYDIS_MNEMONIC_VRCPPS, &lowerVex<"0F 53">},
    Lowering{ZYDIS_MNEMONIC_VRCPSS, &lowerVex<"NDS.F3.0F 53", Reads::one32>},
    Lowering{ZYDIS_MNEMONIC_VADDPS, &lowerVex<"NDS.0F 58", Reads::whole, singles(Ranges::Kind::summed, 4)>},
    Lowering{ZYDIS_MNEMONIC_VADDPD, &lowerVex<"NDS.66.0F 58", Reads::whole, doubles(Ranges::Kind::summed, 2)>},
    Lowering{ZYDIS_MNEMONIC_VADDSS, &lowerVex<"NDS.F3.0F 58", Reads::one32, singles(Ranges::Kind::summed, 1)>},
    Lowering{ZYDIS_MNEMONIC_VADDSD, &lowerVex<"NDS.F2.0F 58", Reads::one64, doubles(Ranges::Kind::summed, 1)>},
    Lowering{ZYDIS_MNEMONIC_VMULPS, &lowerVex<"NDS.0F 59", Reads::whole, singles(Ranges::Kind::scaled, 4)>},
    Lowering{ZYDIS_MNEMONIC_VMULPD, &lowerVex<"NDS.66.0F 59", Reads::whole, doubles(Ranges::Kind::scaled, 2)>},
    Lowering{ZYDIS_MNEMONIC_VMULSS, &lowerVex<"NDS.F3.0F 59", Reads::one32, singles(Ranges::Kind::scaled, 1)>},
    Lowering{ZYDIS_MNEMONIC_VMULSD, &lowerVex<"NDS.F2.0F 59", Reads::one64, doubles(Ranges::Kind::scaled, 1)>},
    Lowering{ZYDIS_MNEMONIC_VSUBPS, &lowerVex<"NDS.0F 5C", Reads::whole, singles(Ranges::Kind::summed, 4)>},
    Lowering{ZYDIS_MNEMONIC_VSUBPD, &lowerVex<"NDS.66.0F 5C", Reads::whole, doubles(Ranges::Kind::summed, 2)>},
    Lowering{ZYDIS_MNEMONIC_VSUBSS, &lowerVex<"NDS.F3.0F 5C", Reads::one32, singles(Ranges::Kind::summed, 1)>},
    Lowering{ZYDIS_MNEMONIC_VSUBSD, &lowerVex<"NDS.F2.0F 5C", Reads::one64, doubles(Ranges::Kind::summed, 1)>},
    Lowering{ZYDIS_MNEMONIC_VMINPS, &lowerVex<"NDS.0F 5D", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VMINPD, &lowerVex<"NDS.66.0F 5D", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VMINSS, &lowerVex<"NDS.F3.0F 5D", Reads::one32, kNever>},
    Lowering{ZYDIS_MNEMONIC_VMINSD, &lowerVex<"NDS.F2.0F 5D", Reads::one64, kNever>},
    Lowering{ZYDIS_MNEMONIC_VDIVPS, &lowerVex<"NDS.0F 5E", Reads::whole, singles(Ranges::Kind::scaled, 4)>},
    Lowering{ZYDIS_MNEMONIC_VDIVPD, &lowerVex<"NDS.66.0F 5E", Reads::whole, doubles(Ranges::Kind::scaled, 2)>},
    Lowering{ZYDIS_MNEMONIC_VDIVSS, &lowerVex<"NDS.F3.0F 5E", Reads::one32, singles(Ranges::Kind::scaled, 1)>},
    Lowering{ZYDIS_MNEMONIC_VDIVSD, &lowerVex<"NDS.F2.0F 5E", Reads::one64, doubles(Ranges::Kind::scaled, 1)>},
    Lowering{ZYDIS_MNEMONIC_VMAXPS, &lowerVex<"NDS.0F 5F", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VMAXPD, &lowerVex<"NDS.66.0F 5F", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VMAXSS, &lowerVex<"NDS.F3.0F 5F", Reads::one32, kNever>},
    Lowering{ZYDIS_MNEMONIC_VMAXSD, &lowerVex<"NDS.F2.0F 5F", Reads::one64, kNever>},
    Lowering{ZYDIS_MNEMONIC_VHADDPD, &lowerVex<"NDS.66.0F 7C", Reads::whole, kPairsOfDoubles>},
    Lowering{ZYDIS_MNEMONIC_VHADDPS, &lowerVex<"NDS.F2.0F 7C", Reads::whole, kPairsOfSingles>},
    Lowering{ZYDIS_MNEMONIC_VHSUBPD, &lowerVex<"NDS.66.0F 7D", Reads::whole, kPairsOfDoubles>},
    Lowering{ZYDIS_MNEMONIC_VHSUBPS, &lowerVex<"NDS.F2.0F 7D", Reads::whole, kPairsOfSingles>},
    Lowering{ZYDIS_MNEMONIC_VCMPPS, &lowerVex<"NDS.0F C2 ib5", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VCMPPD, &lowerVex<"NDS.66.0F C2 ib5", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VCMPSS, &lowerVex<"NDS.F3.0F C2 ib5", Reads::one32, kNever>},
    Lowering{ZYDIS_MNEMONIC_VCMPSD, &lowerVex<"NDS.F2.0F C2 ib5", Reads::one64, kNever>},
    Lowering{ZYDIS_MNEMONIC_VADDSUBPD, &lowerVex<"NDS.66.0F D0", Reads::whole, doubles(Ranges::Kind::summed, 2)>},
    Lowering{ZYDIS_MNEMONIC_VADDSUBPS, &lowerVex<"NDS.F2.0F D0", Reads::whole, singles(Ranges::Kind::summed, 4)>},
    Lowering{ZYDIS_MNEMONIC_VROUNDPS, &lowerVex<"66.0F3A 08 ib4", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VROUNDPD, &lowerVex<"66.0F3A 09 ib4", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VROUNDSS, &lowerVex<"NDS.66.0F3A 0A ib4", Reads::one32, kNever>},
    Lowering{ZYDIS_MNEMONIC_VROUNDSD, &lowerVex<"NDS.66.0F3A 0B ib4", Reads::one64, kNever>},
    Lowering{ZYDIS_MNEMONIC_VDPPS, &lowerDotProductOfSingles},
    Lowering{ZYDIS_MNEMONIC_VDPPD, &lowerDotProductOfDoubles},
};

}  // namespace

std::span<const Lowering> avxFloatLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
