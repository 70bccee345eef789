#include "vmm/hypervisor/soft/operations/vex_operand.h"

#include <cstring>

namespace qm::soft {

const void* readSpare(Cpu& cpu, std::uint64_t address, unsigned bytes, SpareOperand& spare) {
  return readLongWay(cpu, address, &spare, bytes, Intent::read) ? &spare : nullptr;
}

const void* readAlignedSpare(Cpu& cpu, std::uint64_t address, unsigned bytes, SpareOperand& spare) {
  if (address % bytes == 0) return readSpare(cpu, address, bytes, spare);
  raise(cpu, Exception::generalProtection);
  return nullptr;
}

SpareOperand copyOf(const void* last, VexSource source) {
  SpareOperand copy{};
  std::memcpy(&copy, last, source == VexSource::bytes32 ? 32 : 16);
  return copy;
}

// A source of 16 bytes with a result of 32 has nothing that leaves its range.
VexParts partsOf(const VexOperands& operands, VexLength length, VexSource source) {
  const auto* const first = reinterpret_cast<const __m128i*>(&operands.first);
  const auto* const last = static_cast<const __m128i_u*>(operands.last);
  VexParts parts{.parts = {{{.a = _mm_load_si128(first), .b = _mm_loadu_si128(last)}, {}}}, .count = 1};
  if (length == VexLength::bits256 && source == VexSource::bytes32) {
    parts.parts[1] = {.a = _mm_load_si128(first + 1), .b = _mm_loadu_si128(last + 1)};
    parts.count = 2;
  }
  return parts;
}

VexLength lengthOf(const Instruction& instruction, Reads reads) {
  return instruction.raw.raw.vex.L != 0 && !isScalar(reads) ? VexLength::bits256 : VexLength::bits128;
}

Operation& addVex(const Instruction& instruction, Emitter& emitter, const VexEncoding& encoding,
                  const VectorTable& table) {
  const std::size_t lastAt = encoding.readsFirst() ? 2 : 1;
  const Operand& last = instruction.operand(lastAt);
  Operation& op = isMemory(last) ? emitter.addMemory(table.fromMemory, last) : emitter.add(table.fromRegister);
  op.to = registerNumber(instruction.operand(0).reg.value);
  if (encoding.readsFirst()) op.third = registerNumber(instruction.operand(1).reg.value);
  if (isRegister(last)) op.from = registerNumber(last.reg.value);
  if (encoding.immediateBits != 0) op.detail = static_cast<std::uint8_t>(instruction.operand(lastAt + 1).imm.value.u);
  if (encoding.hasFourth) op.detail = registerNumber(instruction.operand(lastAt + 1).reg.value);
  return op;
}

namespace {

bool clearUpper(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  cpu.ymm[op.to].high = {};
  return true;
}

}  // namespace

void addClearUpper(Emitter& emitter, std::uint8_t number) {
  emitter.add(&step<&clearUpper>).to = number;
}

}  // namespace qm::soft
