#include "vmm/hypervisor/soft/operations/stack.h"

#include <utility>

#include "vmm/hypervisor/soft/operations/operand.h"
#include "vmm/hypervisor/soft/operations/segment_load.h"
#include "vmm/hypervisor/soft/operations/stack_access.h"
#include "vmm/hypervisor/soft/system/interrupt_flag.h"

namespace qm::soft {

namespace {

// ---- 64-bit mode, eight bytes: what compilers write

bool pushRegister(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  return push(cpu, reg<std::uint64_t>(cpu, op.from));
}

bool pushImmediate(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  return push(cpu, op.immediate);
}

template <Form form>
struct PushMemory {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    std::uint64_t address = 0, value = 0;
    return effectiveAddress<form>(cpu, op, address) && load(cpu, address, value) && push(cpu, value);
  }
};

bool popRegister(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t value = 0;
  if (!pop(cpu, value)) return false;
  setReg(cpu, op.to, value);
  return true;
}

bool leave(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  std::uint64_t value = 0;
  if (!load(cpu, cpu.gpr[kRbp], value)) return false;
  cpu.gpr[kRsp] = cpu.gpr[kRbp] + 8;
  cpu.gpr[kRbp] = value;
  return true;
}

// ---- any mode and size; `detail` is the operand size in bytes

std::uint64_t valueOf(const Cpu& cpu, std::uint8_t place, unsigned bytes) {
  const auto value = reg<std::uint64_t>(cpu, place);
  return bytes == 8 ? value : value & ((std::uint64_t{1} << bytes * 8) - 1);
}

void setOperand(Cpu& cpu, std::uint8_t place, std::uint64_t value, unsigned bytes) {
  if (bytes == 2) {
    setReg(cpu, place, static_cast<std::uint16_t>(value));
  } else if (bytes == 4) {
    setReg(cpu, place, static_cast<std::uint32_t>(value));
  } else {
    setReg(cpu, place, value);
  }
}

bool anyPushRegister(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  return legacyPush(cpu, valueOf(cpu, op.from, op.detail), op.detail);
}

bool anyPushImmediate(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  return legacyPush(cpu, op.immediate, op.detail);
}

bool anyPushMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0, value = 0;
  return effectiveAddress<Form::any>(cpu, op, address) && readLongWay(cpu, address, &value, op.detail, Intent::read) &&
         legacyPush(cpu, value, op.detail);
}

bool pushSegment(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  return legacyPush(cpu, cpu.system.segments[op.from].selector, op.detail);
}

bool anyPopRegister(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t value = 0;
  if (!legacyPop(cpu, value, op.detail)) return false;
  setOperand(cpu, op.to, value, op.detail);
  return true;
}

// The address is computed after rsp has been raised (SDM 2, POP).
bool anyPopMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  const std::uint64_t before = cpu.gpr[kRsp];
  std::uint64_t address = 0, value = 0;
  if (!legacyPop(cpu, value, op.detail)) return false;
  if (effectiveAddress<Form::any>(cpu, op, address) && writeLongWay(cpu, address, &value, op.detail)) return true;
  cpu.gpr[kRsp] = before;
  return false;
}

bool anyLeave(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  const std::uint64_t before = cpu.gpr[kRsp];
  cpu.gpr[kRsp] = cpu.gpr[kRbp];
  std::uint64_t value = 0;
  if (!legacyPop(cpu, value, op.detail)) {
    cpu.gpr[kRsp] = before;
    return false;
  }
  setOperand(cpu, kRbp * 8, value, op.detail);
  return true;
}

// ENTER (SDM 2): `immediate` is the frame's size in its low 16 bits, the nesting level above them. A processor leaves
// in memory what it pushed before it faults, and may read what it has just pushed; so it must not be begun again for
// any other reason once it has pushed. Whether it would have to be run alone is found out first.
bool mustEnterAlone(Cpu& cpu, const Operation& op, unsigned level) {
  const std::uint64_t bytes = op.detail, rbp = cpu.gpr[kRbp];
  std::uint64_t top = cpu.gpr[kRsp];
  const auto canPush = [&] {
    top -= bytes;
    return probeWrite(cpu, top, op.detail) != Writability::stopped;
  };
  std::uint64_t link = 0;
  bool goesOn = canPush();
  for (unsigned i = 1; goesOn && i < level; ++i)
    goesOn = readLongWay(cpu, rbp - i * bytes, &link, op.detail, Intent::read) && canPush();
  if (goesOn && level > 0) goesOn = canPush();
  if (goesOn) probeWrite(cpu, top - (op.immediate & 0xffff), op.detail);
  return std::exchange(cpu.stop, Stop::none) == Stop::alone;
}

bool enter(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  const std::uint64_t rsp = cpu.gpr[kRsp], rbp = cpu.gpr[kRbp];
  const unsigned level = static_cast<unsigned>(op.immediate >> 16U) & 31U;
  if (!cpu.stepping && mustEnterAlone(cpu, op, level)) return askToBeAlone(cpu);
  const auto giveUp = [&] {
    cpu.gpr[kRsp] = rsp;
    return false;
  };
  if (!legacyPush(cpu, valueOf(cpu, kRbp * 8, op.detail), op.detail)) return giveUp();
  const std::uint64_t frame = cpu.gpr[kRsp];
  for (unsigned i = 1; i < level; ++i) {
    std::uint64_t link = 0;
    if (!readLongWay(cpu, rbp - std::uint64_t{i} * op.detail, &link, op.detail, Intent::read) ||
        !legacyPush(cpu, link, op.detail))
      return giveUp();
  }
  if (level > 0 && !legacyPush(cpu, frame, op.detail)) return giveUp();
  releaseStack(cpu, ~(op.immediate & 0xffff) + 1);
  // The new top must be writable, as a push would find.
  if (probeWrite(cpu, cpu.gpr[kRsp], op.detail) == Writability::stopped) return giveUp();
  setOperand(cpu, kRbp * 8, frame, op.detail);
  return true;
}

// ---- flags

bool pushFlags(Cpu& cpu, const Operation& op, Flags& flags) {
  const std::uint64_t value = wholeRflags(cpu, flags) & ~(rflags::kRf | rflags::kVm);
  return legacyPush(cpu, value, op.detail);
}

// IF needs CPL <= IOPL, IOPL itself CPL 0; RF is cleared, VM, VIP and VIF stay (SDM 2, POPF, table 4-15).
Outcome popFlags(Cpu& cpu, const Operation& op) {
  std::uint64_t value = 0;
  if (!legacyPop(cpu, value, op.detail)) return Outcome::stopped;
  std::uint64_t changeable = rflags::kTf | rflags::kDf | rflags::kNt | rflags::kAc | rflags::kId;
  if (cpu.system.cpl == 0) changeable |= rflags::kIopl;
  if (mayChangeInterruptFlag(cpu)) changeable |= rflags::kIf;
  if (op.detail == 2) changeable &= 0xffff;
  cpu.rflags &= ~rflags::kRf;
  loadFlags(cpu, value, changeable);
  privilegeChanged(cpu);  // for AC
  cpu.rip = addressAfter(cpu, op);
  return Outcome::elsewhere;
}

// ---- lowering

bool isPlain(const Instruction& instruction) {
  return instruction.codeSize == CodeSize::bits64 && instruction.operandBits() == 64;
}

std::uint8_t bytesOf(const Instruction& instruction) {
  return static_cast<std::uint8_t>(instruction.operandBits() / 8);
}

// One without a memory operand, whose address is the stack's.
bool onStack(Operation& op, const Instruction& instruction) {
  op.detail = bytesOf(instruction);
  op.segment = SegmentName::ss;
  return true;
}

bool isSegment(const Operand& operand) {
  return isRegister(operand) && ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_SEGMENT;
}

bool lowerPush(const Instruction& instruction, Emitter& emitter) {
  const Operand& from = instruction.operand(0);
  const bool plain = isPlain(instruction);
  Operation* op = nullptr;
  if (isSegment(from)) {
    op = &emitter.add(&step<&pushSegment>);
    op->from = static_cast<std::uint8_t>(segmentName(from.reg.value));
  } else if (isRegister(from)) {
    op = &emitter.add(plain ? &step<&pushRegister> : &step<&anyPushRegister>);
    op->from = registerPlace(from.reg.value);
  } else if (isImmediate(from)) {
    op = &emitter.add(plain ? &step<&pushImmediate> : &step<&anyPushImmediate>);
    op->immediate = static_cast<std::uint64_t>(from.imm.value.s);
  } else {
    op = &emitter.addMemory(plain ? byForm<PushMemory>() : anyForm<&anyPushMemory>(), from);
  }
  if (!isMemory(from)) op->segment = SegmentName::ss;
  op->detail = bytesOf(instruction);
  return true;
}

bool lowerPop(const Instruction& instruction, Emitter& emitter) {
  const Operand& to = instruction.operand(0);
  if (isSegment(to)) return lowerPopSegment(instruction, emitter);
  if (isRegister(to)) {
    Operation& op = emitter.add(isPlain(instruction) ? &step<&popRegister> : &step<&anyPopRegister>);
    op.to = registerPlace(to.reg.value);
    op.detail = bytesOf(instruction);
    op.segment = SegmentName::ss;
    return true;
  }
  emitter.addMemory(anyForm<&anyPopMemory>(), to).detail = bytesOf(instruction);
  return true;
}

bool lowerLeave(const Instruction& instruction, Emitter& emitter) {
  return onStack(emitter.add(isPlain(instruction) ? &step<&leave> : &step<&anyLeave>), instruction);
}

bool lowerEnter(const Instruction& instruction, Emitter& emitter) {
  if (instruction.codeSize != CodeSize::bits64) return false;  // no code of ours that runs before it does this
  Operation& op = emitter.add(&step<&enter>);
  onStack(op, instruction);
  op.immediate = instruction.operand(0).imm.value.u | instruction.operand(1).imm.value.u << 16U;
  return true;
}

bool lowerPushFlags(const Instruction& instruction, Emitter& emitter) {
  return onStack(emitter.add(&step<&pushFlags>), instruction);
}

bool lowerPopFlags(const Instruction& instruction, Emitter& emitter) {
  return onStack(emitter.addEnd(&system<&popFlags>), instruction);
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_PUSH, &lowerPush},        Lowering{ZYDIS_MNEMONIC_POP, &lowerPop},
    Lowering{ZYDIS_MNEMONIC_LEAVE, &lowerLeave},      Lowering{ZYDIS_MNEMONIC_ENTER, &lowerEnter},
    Lowering{ZYDIS_MNEMONIC_PUSHF, &lowerPushFlags},  Lowering{ZYDIS_MNEMONIC_PUSHFD, &lowerPushFlags},
    Lowering{ZYDIS_MNEMONIC_PUSHFQ, &lowerPushFlags}, Lowering{ZYDIS_MNEMONIC_POPF, &lowerPopFlags},
    Lowering{ZYDIS_MNEMONIC_POPFD, &lowerPopFlags},   Lowering{ZYDIS_MNEMONIC_POPFQ, &lowerPopFlags},
};

}  // namespace

std::span<const Lowering> stackLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
