#include "vmm/hypervisor/soft/operations/fma.h"

#include "vmm/hypervisor/soft/operations/fma_ranges.h"
#include "vmm/hypervisor/soft/operations/vex_operand.h"

namespace qm::soft {

namespace {

template <VexEncoding encoding>
Vector applyFused(const ThreeVectors& operands) {
  WideVector destination{.low = operands.destination, .high = {}};
  const WideVector first{.low = operands.first, .high = {}};
  runOnHost<encoding, VexLength::bits128, VexSource::bytes16>(
      {.destination = destination, .first = first, .last = &operands.last, .fourth = first});
  return destination.low;
}

template <VexEncoding encoding, FusedRanges ranges, Reads reads>
struct Fused {
  template <VexLength length, class Source>
  struct With {
    static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
      constexpr VexSource kSource = Source::template kSource<reads, length>;
      SpareOperand spare;
      const void* const last = Source::template find<reads, length>(cpu, op, spare);
      if (last == nullptr) return false;
      if (!cpu.simdUnmasked) [[likely]] {
        runOnHost<encoding, length, kSource>(vexOperands(cpu, op, cpu.ymm[op.to], last));
        return true;
      }
      const SpareOperand copy = copyOf(last, kSource);
      WideVector result = cpu.ymm[op.to];
      const VexOperands operands = vexOperands(cpu, op, result, &copy);
      beginLettingThrough(cpu);
      runOnHost<encoding, length, kSource>(operands);
      const auto* const lasts = reinterpret_cast<const Vector*>(&copy);
      const std::array parts{
          ThreeVectors{.destination = cpu.ymm[op.to].low, .first = operands.first.low, .last = lasts[0]},
          ThreeVectors{.destination = cpu.ymm[op.to].high, .first = operands.first.high, .last = lasts[1]}};
      constexpr std::size_t kParts = length == VexLength::bits256 ? 2 : 1;
      if (!endFusedByLanes(cpu, ranges, &applyFused<encoding>, std::span(parts).first(kParts))) return false;
      cpu.ymm[op.to] = result;
      return true;
    }
  };
};

template <VexEncoding encoding, Reads reads, FusedOrder order, std::uint8_t bytes, std::uint8_t lanes>
bool lowerFused(const Instruction& instruction, Emitter& emitter) {
  using Body = Fused<encoding, FusedRanges{.order = order, .bytes = bytes, .lanes = lanes}, reads>;
  static constexpr VectorTable kShort = vexTableByForm<Body::template With, VexLength::bits128>();
  if constexpr (isScalar(reads)) {
    addVex(instruction, emitter, encoding, kShort);
  } else {
    static constexpr VectorTable kLong = vexTableByForm<Body::template With, VexLength::bits256>();
    addVex(instruction, emitter, encoding, lengthOf(instruction, reads) == VexLength::bits256 ? kLong : kShort);
  }
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_VFMADDSUB132PS, &lowerFused<"DDS.66.0F38.W0 96", Reads::whole, FusedOrder::of132, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFMADDSUB132PD, &lowerFused<"DDS.66.0F38.W1 96", Reads::whole, FusedOrder::of132, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFMSUBADD132PS, &lowerFused<"DDS.66.0F38.W0 97", Reads::whole, FusedOrder::of132, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFMSUBADD132PD, &lowerFused<"DDS.66.0F38.W1 97", Reads::whole, FusedOrder::of132, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFMADD132PS, &lowerFused<"DDS.66.0F38.W0 98", Reads::whole, FusedOrder::of132, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFMADD132PD, &lowerFused<"DDS.66.0F38.W1 98", Reads::whole, FusedOrder::of132, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFMADD132SS, &lowerFused<"DDS.66.0F38.W0 99", Reads::one32, FusedOrder::of132, 4, 1>},
    Lowering{ZYDIS_MNEMONIC_VFMADD132SD, &lowerFused<"DDS.66.0F38.W1 99", Reads::one64, FusedOrder::of132, 8, 1>},
    Lowering{ZYDIS_MNEMONIC_VFMSUB132PS, &lowerFused<"DDS.66.0F38.W0 9A", Reads::whole, FusedOrder::of132, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFMSUB132PD, &lowerFused<"DDS.66.0F38.W1 9A", Reads::whole, FusedOrder::of132, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFMSUB132SS, &lowerFused<"DDS.66.0F38.W0 9B", Reads::one32, FusedOrder::of132, 4, 1>},
    Lowering{ZYDIS_MNEMONIC_VFMSUB132SD, &lowerFused<"DDS.66.0F38.W1 9B", Reads::one64, FusedOrder::of132, 8, 1>},
    Lowering{ZYDIS_MNEMONIC_VFNMADD132PS, &lowerFused<"DDS.66.0F38.W0 9C", Reads::whole, FusedOrder::of132, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFNMADD132PD, &lowerFused<"DDS.66.0F38.W1 9C", Reads::whole, FusedOrder::of132, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFNMADD132SS, &lowerFused<"DDS.66.0F38.W0 9D", Reads::one32, FusedOrder::of132, 4, 1>},
    Lowering{ZYDIS_MNEMONIC_VFNMADD132SD, &lowerFused<"DDS.66.0F38.W1 9D", Reads::one64, FusedOrder::of132, 8, 1>},
    Lowering{ZYDIS_MNEMONIC_VFNMSUB132PS, &lowerFused<"DDS.66.0F38.W0 9E", Reads::whole, FusedOrder::of132, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFNMSUB132PD, &lowerFused<"DDS.66.0F38.W1 9E", Reads::whole, FusedOrder::of132, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFNMSUB132SS, &lowerFused<"DDS.66.0F38.W0 9F", Reads::one32, FusedOrder::of132, 4, 1>},
    Lowering{ZYDIS_MNEMONIC_VFNMSUB132SD, &lowerFused<"DDS.66.0F38.W1 9F", Reads::one64, FusedOrder::of132, 8, 1>},
    Lowering{ZYDIS_MNEMONIC_VFMADDSUB213PS, &lowerFused<"DDS.66.0F38.W0 A6", Reads::whole, FusedOrder::of213, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFMADDSUB213PD, &lowerFused<"DDS.66.0F38.W1 A6", Reads::whole, FusedOrder::of213, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFMSUBADD213PS, &lowerFused<"DDS.66.0F38.W0 A7", Reads::whole, FusedOrder::of213, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFMSUBADD213PD, &lowerFused<"DDS.66.0F38.W1 A7", Reads::whole, FusedOrder::of213, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFMADD213PS, &lowerFused<"DDS.66.0F38.W0 A8", Reads::whole, FusedOrder::of213, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFMADD213PD, &lowerFused<"DDS.66.0F38.W1 A8", Reads::whole, FusedOrder::of213, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFMADD213SS, &lowerFused<"DDS.66.0F38.W0 A9", Reads::one32, FusedOrder::of213, 4, 1>},
    Lowering{ZYDIS_MNEMONIC_VFMADD213SD, &lowerFused<"DDS.66.0F38.W1 A9", Reads::one64, FusedOrder::of213, 8, 1>},
    Lowering{ZYDIS_MNEMONIC_VFMSUB213PS, &lowerFused<"DDS.66.0F38.W0 AA", Reads::whole, FusedOrder::of213, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFMSUB213PD, &lowerFused<"DDS.66.0F38.W1 AA", Reads::whole, FusedOrder::of213, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFMSUB213SS, &lowerFused<"DDS.66.0F38.W0 AB", Reads::one32, FusedOrder::of213, 4, 1>},
    Lowering{ZYDIS_MNEMONIC_VFMSUB213SD, &lowerFused<"DDS.66.0F38.W1 AB", Reads::one64, FusedOrder::of213, 8, 1>},
    Lowering{ZYDIS_MNEMONIC_VFNMADD213PS, &lowerFused<"DDS.66.0F38.W0 AC", Reads::whole, FusedOrder::of213, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFNMADD213PD, &lowerFused<"DDS.66.0F38.W1 AC", Reads::whole, FusedOrder::of213, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFNMADD213SS, &lowerFused<"DDS.66.0F38.W0 AD", Reads::one32, FusedOrder::of213, 4, 1>},
    Lowering{ZYDIS_MNEMONIC_VFNMADD213SD, &lowerFused<"DDS.66.0F38.W1 AD", Reads::one64, FusedOrder::of213, 8, 1>},
    Lowering{ZYDIS_MNEMONIC_VFNMSUB213PS, &lowerFused<"DDS.66.0F38.W0 AE", Reads::whole, FusedOrder::of213, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFNMSUB213PD, &lowerFused<"DDS.66.0F38.W1 AE", Reads::whole, FusedOrder::of213, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFNMSUB213SS, &lowerFused<"DDS.66.0F38.W0 AF", Reads::one32, FusedOrder::of213, 4, 1>},
    Lowering{ZYDIS_MNEMONIC_VFNMSUB213SD, &lowerFused<"DDS.66.0F38.W1 AF", Reads::one64, FusedOrder::of213, 8, 1>},
    Lowering{ZYDIS_MNEMONIC_VFMADDSUB231PS, &lowerFused<"DDS.66.0F38.W0 B6", Reads::whole, FusedOrder::of231, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFMADDSUB231PD, &lowerFused<"DDS.66.0F38.W1 B6", Reads::whole, FusedOrder::of231, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFMSUBADD231PS, &lowerFused<"DDS.66.0F38.W0 B7", Reads::whole, FusedOrder::of231, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFMSUBADD231PD, &lowerFused<"DDS.66.0F38.W1 B7", Reads::whole, FusedOrder::of231, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFMADD231PS, &lowerFused<"DDS.66.0F38.W0 B8", Reads::whole, FusedOrder::of231, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFMADD231PD, &lowerFused<"DDS.66.0F38.W1 B8", Reads::whole, FusedOrder::of231, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFMADD231SS, &lowerFused<"DDS.66.0F38.W0 B9", Reads::one32, FusedOrder::of231, 4, 1>},
    Lowering{ZYDIS_MNEMONIC_VFMADD231SD, &lowerFused<"DDS.66.0F38.W1 B9", Reads::one64, FusedOrder::of231, 8, 1>},
    Lowering{ZYDIS_MNEMONIC_VFMSUB231PS, &lowerFused<"DDS.66.0F38.W0 BA", Reads::whole, FusedOrder::of231, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFMSUB231PD, &lowerFused<"DDS.66.0F38.W1 BA", Reads::whole, FusedOrder::of231, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFMSUB231SS, &lowerFused<"DDS.66.0F38.W0 BB", Reads::one32, FusedOrder::of231, 4, 1>},
    Lowering{ZYDIS_MNEMONIC_VFMSUB231SD, &lowerFused<"DDS.66.0F38.W1 BB", Reads::one64, FusedOrder::of231, 8, 1>},
    Lowering{ZYDIS_MNEMONIC_VFNMADD231PS, &lowerFused<"DDS.66.0F38.W0 BC", Reads::whole, FusedOrder::of231, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFNMADD231PD, &lowerFused<"DDS.66.0F38.W1 BC", Reads::whole, FusedOrder::of231, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFNMADD231SS, &lowerFused<"DDS.66.0F38.W0 BD", Reads::one32, FusedOrder::of231, 4, 1>},
    Lowering{ZYDIS_MNEMONIC_VFNMADD231SD, &lowerFused<"DDS.66.0F38.W1 BD", Reads::one64, FusedOrder::of231, 8, 1>},
    Lowering{ZYDIS_MNEMONIC_VFNMSUB231PS, &lowerFused<"DDS.66.0F38.W0 BE", Reads::whole, FusedOrder::of231, 4, 4>},
    Lowering{ZYDIS_MNEMONIC_VFNMSUB231PD, &lowerFused<"DDS.66.0F38.W1 BE", Reads::whole, FusedOrder::of231, 8, 2>},
    Lowering{ZYDIS_MNEMONIC_VFNMSUB231SS, &lowerFused<"DDS.66.0F38.W0 BF", Reads::one32, FusedOrder::of231, 4, 1>},
    Lowering{ZYDIS_MNEMONIC_VFNMSUB231SD, &lowerFused<"DDS.66.0F38.W1 BF", Reads::one64, FusedOrder::of231, 8, 1>},
};

}  // namespace

std::span<const Lowering> fmaLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
