#include "vmm/hypervisor/soft/operations/far_transfer.h"

#include "vmm/hypervisor/soft/operations/interrupt_return.h"
#include "vmm/hypervisor/soft/operations/operand.h"
#include "vmm/hypervisor/soft/operations/software_interrupt.h"
#include "vmm/hypervisor/soft/operations/stack_access.h"
#include "vmm/hypervisor/soft/system/segment_register.h"

namespace qm::soft {

namespace {

// Where a far JMP or CALL goes to, of its operand.
struct FarPointer {
  std::uint16_t selector = 0;
  std::uint64_t offset = 0;
};

// Of the instruction itself: `immediate` is the offset, the selector above it.
bool directPointer(Cpu& /*cpu*/, const Operation& op, FarPointer& pointer) {
  pointer = {.selector = static_cast<std::uint16_t>(op.immediate >> 32U), .offset = op.immediate & 0xffff'ffff};
  return true;
}

// In memory; `detail` is the operand size in bytes.
bool indirectPointer(Cpu& cpu, const Operation& op, FarPointer& pointer) {
  std::uint64_t address = 0;
  return effectiveAddress<Form::any>(cpu, op, address) &&
         readLongWay(cpu, address, &pointer.offset, op.detail, Intent::read) &&
         load(cpu, address + op.detail, pointer.selector);
}

template <auto pointerOf>
Outcome farJump(Cpu& cpu, const Operation& op) {
  FarPointer to;
  Segment code;
  if (!pointerOf(cpu, op, to) || !findCode(cpu, op, Way::onward, to.selector, code) ||
      !isReachable(cpu, code, to.offset))
    return Outcome::stopped;
  enterCode(cpu, code, to.offset);
  return Outcome::elsewhere;
}

// CS is pushed as wide as the return address, both of them or none.
bool pushReturn(Cpu& cpu, const Operation& op) {
  const std::uint64_t before = cpu.gpr[kRsp];
  if (legacyPush(cpu, segment(cpu, SegmentName::cs).selector, op.detail) &&
      legacyPush(cpu, addressAfter(cpu, op), op.detail))
    return true;
  cpu.gpr[kRsp] = before;
  return false;
}

template <auto pointerOf>
Outcome farCall(Cpu& cpu, const Operation& op) {
  FarPointer to;
  Segment code;
  if (!pointerOf(cpu, op, to) || !findCode(cpu, op, Way::onward, to.selector, code) ||
      !isReachable(cpu, code, to.offset) || !pushReturn(cpu, op))
    return Outcome::stopped;
  enterCode(cpu, code, to.offset);
  return Outcome::elsewhere;
}

// ---- lowering

// A pointer of the instruction's own, ptr16:16 or ptr16:32.
bool isDirect(const Instruction& instruction) {
  return instruction.operand(0).type == ZYDIS_OPERAND_TYPE_POINTER;
}

bool lowerFar(const Instruction& instruction, Emitter& emitter, Handler direct, Handler indirect) {
  const Operand& target = instruction.operand(0);
  const auto bytes = static_cast<std::uint8_t>(instruction.operandBits() / 8);
  if (isDirect(instruction)) {
    Operation& op = emitter.addEnd(direct);
    op.immediate = std::uint64_t{target.ptr.segment} << 32U | target.ptr.offset;
    op.detail = bytes;
    return true;
  }
  emitter.addMemoryEnd({indirect, indirect, indirect}, target).detail = bytes;
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_IRET, &lowerInterruptReturn},  Lowering{ZYDIS_MNEMONIC_IRETD, &lowerInterruptReturn},
    Lowering{ZYDIS_MNEMONIC_IRETQ, &lowerInterruptReturn}, Lowering{ZYDIS_MNEMONIC_INT, &lowerInterrupt},
    Lowering{ZYDIS_MNEMONIC_INT3, &lowerInterrupt},        Lowering{ZYDIS_MNEMONIC_INT1, &lowerInterrupt},
    Lowering{ZYDIS_MNEMONIC_INTO, &lowerInterrupt},
};

}  // namespace

std::span<const Lowering> farTransferLowerings() {
  return kLowerings;
}

bool lowerFarJump(const Instruction& instruction, Emitter& emitter) {
  return lowerFar(instruction, emitter, &system<&farJump<&directPointer>>, &system<&farJump<&indirectPointer>>);
}

bool lowerFarCall(const Instruction& instruction, Emitter& emitter) {
  return lowerFar(instruction, emitter, &system<&farCall<&directPointer>>, &system<&farCall<&indirectPointer>>);
}

}  // namespace qm::soft
