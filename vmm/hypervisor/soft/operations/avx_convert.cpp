#include "vmm/hypervisor/soft/operations/avx_convert.h"

#include <utility>

#include "vmm/hypervisor/soft/operations/vex_operand.h"

namespace qm::soft {

namespace {

// ---- from integers in general registers or memory

template <VexEncoding encoding>
bool convertInteger(Cpu& cpu, const Operation& op, std::uint64_t value) {
  WideVector result;
  const VexOperands operands = vexOperands(cpu, op, result, &result);
  if (!compute(cpu, [&] { runOnHost<encoding, VexLength::bits128, VexSource::general>(operands, value); }))
    return false;
  cpu.ymm[op.to] = result;
  return true;
}

template <VexEncoding encoding, class T>
bool fromGeneral(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  return convertInteger<encoding>(cpu, op, reg<T>(cpu, op.from));
}

template <VexEncoding encoding, class T>
bool fromMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  T value;
  return effectiveAddress<Form::any>(cpu, op, address) && load(cpu, address, value) &&
         convertInteger<encoding>(cpu, op, value);
}

template <VexEncoding narrow, VexEncoding wide>
bool lowerFromInteger(const Instruction& instruction, Emitter& emitter) {
  const Operand& from = instruction.operand(2);
  const bool isWide = from.size == 64;
  Operation& op =
      isMemory(from)
          ? emitter.add(isWide ? &step<&fromMemory<wide, std::uint64_t>> : &step<&fromMemory<narrow, std::uint32_t>>)
          : emitter.add(isWide ? &step<&fromGeneral<wide, std::uint64_t>> : &step<&fromGeneral<narrow, std::uint32_t>>);
  if (isMemory(from)) emitter.setAddress(op, from);
  if (isRegister(from)) op.from = registerPlace(from.reg.value);
  op.to = registerNumber(instruction.operand(0).reg.value);
  op.third = registerNumber(instruction.operand(1).reg.value);
  return true;
}

// ---- VCVTPS2PH: the immediate chooses the rounding; memory takes the result and no more

constexpr Ranges kHalves{
    .kind = Ranges::Kind::scaled, .lanes = 4, .bytes = 4, .resultBytes = 2, .areDenormalsMoved = false};

template <std::uint8_t immediate>
__m128i toHalves(__m128i /*a*/, __m128i b) {
  WideVector result;
  Vector last;
  _mm_store_si128(reinterpret_cast<__m128i*>(&last), b);
  runOnHost<"MR.66.0F3A 1D ib3", VexLength::bits128, VexSource::bytes16>(
      {.destination = result, .first = result, .last = &last, .fourth = result, .immediate = immediate});
  return _mm_load_si128(reinterpret_cast<const __m128i*>(&result.low));
}

constexpr auto kToHalves = []<std::uint8_t... i>(std::integer_sequence<std::uint8_t, i...>) {
  return std::array<TwoOperands, sizeof...(i)>{&toHalves<i>...};
}(std::make_integer_sequence<std::uint8_t, 8>());

template <VexLength length>
bool computeHalves(Cpu& cpu, const Operation& op, WideVector& result) {
  constexpr VexSource kSource = VexFromRegister::kSource<Reads::whole, length>;
  const WideVector from = cpu.ymm[op.from];
  const VexOperands operands = vexOperands(cpu, op, result, &from);
  if (!cpu.simdUnmasked) [[likely]] {
    runOnHost<"MR.66.0F3A 1D ib3", length, kSource>(operands);
    return true;
  }
  beginLettingThrough(cpu);
  runOnHost<"MR.66.0F3A 1D ib3", length, kSource>(operands);
  return endLettingThroughByLanes(cpu, kHalves, kToHalves[op.detail % kToHalves.size()],
                                  partsOf(operands, length, kSource).all());
}

template <VexLength length>
bool halvesToRegister(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  WideVector result;
  if (!computeHalves<length>(cpu, op, result)) return false;
  cpu.ymm[op.to] = result;
  return true;
}

template <VexLength length>
bool halvesToMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  WideVector result;
  // Its flags are in MXCSR also if the store faults, as those processors do it that this was compared with.
  if (!effectiveAddress<Form::any>(cpu, op, address) || !computeHalves<length>(cpu, op, result)) return false;
  if constexpr (length == VexLength::bits256) return store(cpu, address, result.low);
  return store(cpu, address, lowOf<std::uint64_t>(_mm_load_si128(reinterpret_cast<const __m128i*>(&result.low))));
}

bool lowerToHalves(const Instruction& instruction, Emitter& emitter) {
  const Operand& to = instruction.operand(0);
  const bool isLong = lengthOf(instruction, Reads::whole) == VexLength::bits256;
  Operation& op = isMemory(to) ? emitter.add(isLong ? &step<&halvesToMemory<VexLength::bits256>>
                                                    : &step<&halvesToMemory<VexLength::bits128>>)
                               : emitter.add(isLong ? &step<&halvesToRegister<VexLength::bits256>>
                                                    : &step<&halvesToRegister<VexLength::bits128>>);
  if (isMemory(to)) emitter.setAddress(op, to);
  if (isRegister(to)) op.to = registerNumber(to.reg.value);
  op.from = registerNumber(instruction.operand(1).reg.value);
  op.detail = static_cast<std::uint8_t>(instruction.operand(2).imm.value.u);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_VCVTDQ2PS, &lowerVex<"0F 5B", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VCVTPS2DQ, &lowerVex<"66.0F 5B", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VCVTTPS2DQ, &lowerVex<"F3.0F 5B", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VCVTDQ2PD, &lowerVex<"F3.0F E6", Reads::half, kNever>},
    Lowering{ZYDIS_MNEMONIC_VCVTPD2DQ, &lowerVex<"F2.0F E6", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VCVTTPD2DQ, &lowerVex<"66.0F E6", Reads::whole, kNever>},
    Lowering{ZYDIS_MNEMONIC_VCVTPS2PD, &lowerVex<"0F 5A", Reads::half, kNever>},
    Lowering{ZYDIS_MNEMONIC_VCVTPD2PS, &lowerVex<"66.0F 5A", Reads::whole, narrowed(2)>},
    Lowering{ZYDIS_MNEMONIC_VCVTSS2SD, &lowerVex<"NDS.F3.0F 5A", Reads::one32, kNever>},
    Lowering{ZYDIS_MNEMONIC_VCVTSD2SS, &lowerVex<"NDS.F2.0F 5A", Reads::one64, narrowed(1)>},
    Lowering{ZYDIS_MNEMONIC_VCVTSI2SS, &lowerFromInteger<"NDS.F3.0F.W0 2A", "NDS.F3.0F.W1 2A">},
    Lowering{ZYDIS_MNEMONIC_VCVTSI2SD, &lowerFromInteger<"NDS.F2.0F.W0 2A", "NDS.F2.0F.W1 2A">},
    Lowering{ZYDIS_MNEMONIC_VCVTPH2PS, &lowerVex<"66.0F38 13", Reads::half, kNever>},
    Lowering{ZYDIS_MNEMONIC_VCVTPS2PH, &lowerToHalves},
};

}  // namespace

std::span<const Lowering> avxConvertLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
