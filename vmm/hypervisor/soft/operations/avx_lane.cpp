#include "vmm/hypervisor/soft/operations/avx_lane.h"

#include "vmm/hypervisor/soft/operations/vex_operand.h"

namespace qm::soft {

namespace {

// ---- VPINSRx: of a general register or memory

template <VexEncoding encoding>
void insert(Cpu& cpu, const Operation& op, std::uint64_t value) {
  WideVector& to = cpu.ymm[op.to];
  runOnHost<encoding, VexLength::bits128, VexSource::general>(vexOperands(cpu, op, to, &to), value);
}

template <VexEncoding encoding, class T>
bool insertFromGeneral(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  insert<encoding>(cpu, op, reg<T>(cpu, op.from));
  return true;
}

template <VexEncoding encoding, class T>
bool insertFromMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  T value;
  if (!effectiveAddress<Form::any>(cpu, op, address) || !load(cpu, address, value)) return false;
  insert<encoding>(cpu, op, value);
  return true;
}

template <VexEncoding encoding, class T>
bool lowerInsert(const Instruction& instruction, Emitter& emitter) {
  const Operand& from = instruction.operand(2);
  Operation& op =
      emitter.add(isMemory(from) ? &step<&insertFromMemory<encoding, T>> : &step<&insertFromGeneral<encoding, T>>);
  if (isMemory(from)) emitter.setAddress(op, from);
  if (isRegister(from)) op.from = registerPlace(from.reg.value);
  op.to = registerNumber(instruction.operand(0).reg.value);
  op.third = registerNumber(instruction.operand(1).reg.value);
  op.detail = static_cast<std::uint8_t>(instruction.operand(3).imm.value.u);
  return true;
}

// VINSERTPS: of memory there is one lane, whatever bits 6 and 7 of the immediate say.
bool lowerInsertSingle(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kTable =
      vexTable<VexBody<"NDS.66.0F3A 21 ib", Reads::one32, kSilent>::With, VexLength::bits128>();
  Operation& op = addVex(instruction, emitter, "NDS.66.0F3A 21 ib", kTable);
  if (isMemory(instruction.operand(2))) op.detail &= 0x3fU;
  return true;
}

// ---- halves

// `detail`: the upper one.
const Vector& half(const Cpu& cpu, const Operation& op) {
  const WideVector& from = cpu.ymm[op.from];
  return op.detail != 0 ? from.high : from.low;
}

bool extractHalf(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  cpu.ymm[op.to] = {.low = half(cpu, op), .high = {}};
  return true;
}

bool extractHalfToMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  return effectiveAddress<Form::any>(cpu, op, address) && store(cpu, address, half(cpu, op));
}

bool lowerExtractHalf(const Instruction& instruction, Emitter& emitter) {
  const Operand& to = instruction.operand(0);
  Operation& op = emitter.add(isMemory(to) ? &step<&extractHalfToMemory> : &step<&extractHalf>);
  if (isMemory(to)) emitter.setAddress(op, to);
  if (isRegister(to)) op.to = registerNumber(to.reg.value);
  op.from = registerNumber(instruction.operand(1).reg.value);
  op.detail = static_cast<std::uint8_t>(instruction.operand(2).imm.value.u & 1U);
  return true;
}

bool broadcastHalf(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  Vector value;
  if (!effectiveAddress<Form::any>(cpu, op, address) || !load(cpu, address, value)) return false;
  cpu.ymm[op.to] = {.low = value, .high = value};
  return true;
}

bool lowerBroadcastHalf(const Instruction& instruction, Emitter& emitter) {
  emitter.addMemory(anyForm<&broadcastHalf>(), instruction.operand(1)).to =
      registerNumber(instruction.operand(0).reg.value);
  return true;
}

// ---- into flags

template <VexEncoding encoding>
struct Test {
  template <VexLength length, class Source>
  struct With {
    static bool run(Cpu& cpu, const Operation& op, Flags& flags) {
      SpareOperand spare;
      const void* const last = Source::template find<Reads::whole, length>(cpu, op, spare);
      if (last == nullptr) return false;
      flags = runOnHost<encoding, length, Source::template kSource<Reads::whole, length>, VexResult::flags>(
          vexOperands(cpu, op, cpu.ymm[op.to], last));
      return true;
    }
  };
};

template <VexEncoding encoding>
bool lowerTest(const Instruction& instruction, Emitter& emitter) {
  static constexpr VectorTable kShort = vexTable<Test<encoding>::template With, VexLength::bits128>(),
                               kLong = vexTable<Test<encoding>::template With, VexLength::bits256>();
  addVex(instruction, emitter, encoding, lengthOf(instruction, Reads::whole) == VexLength::bits256 ? kLong : kShort);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_VPINSRB, &lowerInsert<"NDS.66.0F3A 20 ib4", std::uint8_t>},
    Lowering{ZYDIS_MNEMONIC_VPINSRW, &lowerInsert<"NDS.66.0F C4 ib3", std::uint16_t>},
    Lowering{ZYDIS_MNEMONIC_VPINSRD, &lowerInsert<"NDS.66.0F3A.W0 22 ib2", std::uint32_t>},
    Lowering{ZYDIS_MNEMONIC_VPINSRQ, &lowerInsert<"NDS.66.0F3A.W1 22 ib1", std::uint64_t>},
    Lowering{ZYDIS_MNEMONIC_VINSERTPS, &lowerInsertSingle},
    Lowering{ZYDIS_MNEMONIC_VEXTRACTF128, &lowerExtractHalf},
    Lowering{ZYDIS_MNEMONIC_VEXTRACTI128, &lowerExtractHalf},
    Lowering{ZYDIS_MNEMONIC_VBROADCASTF128, &lowerBroadcastHalf},
    Lowering{ZYDIS_MNEMONIC_VBROADCASTI128, &lowerBroadcastHalf},
    Lowering{ZYDIS_MNEMONIC_VPTEST, &lowerTest<"66.0F38 17">},
    Lowering{ZYDIS_MNEMONIC_VTESTPS, &lowerTest<"66.0F38 0E">},
    Lowering{ZYDIS_MNEMONIC_VTESTPD, &lowerTest<"66.0F38 0F">},
};

}  // namespace

std::span<const Lowering> avxLaneLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
