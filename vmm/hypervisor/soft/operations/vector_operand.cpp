#include "vmm/hypervisor/soft/operations/vector_operand.h"

namespace qm::soft {

bool loadAlignedLongWay(Cpu& cpu, std::uint64_t address, Vector& value) {
  if (address % sizeof(Vector) != 0) return raise(cpu, Exception::generalProtection);
  return load(cpu, address, value);
}

bool storeAlignedLongWay(Cpu& cpu, std::uint64_t address, const Vector& value) {
  if (address % sizeof(Vector) != 0) return raise(cpu, Exception::generalProtection);
  return store(cpu, address, value);
}

Operation& lowerVector(const Instruction& instruction, Emitter& emitter, const VectorTable& table) {
  const Operand& from = instruction.operand(1);
  Operation& op = isMemory(from) ? emitter.addMemory(table.fromMemory, from) : emitter.add(table.fromRegister);
  op.to = registerNumber(instruction.operand(0).reg.value);
  if (isRegister(from)) op.from = registerNumber(from.reg.value);
  if (instruction.explicitOperands() > 2 && isImmediate(instruction.operand(2)))
    op.detail = static_cast<std::uint8_t>(instruction.operand(2).imm.value.u);
  return op;
}

}  // namespace qm::soft
