#include "vmm/hypervisor/soft/operations/segment_load.h"

#include "vmm/hypervisor/soft/operations/descriptor_tables.h"
#include "vmm/hypervisor/soft/operations/register_or_memory.h"
#include "vmm/hypervisor/soft/operations/segment_base.h"
#include "vmm/hypervisor/soft/operations/segment_query.h"
#include "vmm/hypervisor/soft/operations/stack_access.h"
#include "vmm/hypervisor/soft/system/segment_register.h"

namespace qm::soft {

namespace {

// What follows a load that succeeded. Outside 64-bit mode the width of the stack, and with SS the privilege, may have
// changed for what was decoded after it. No interrupt comes between a load of SS and the next instruction (SDM 3A,
// 6.8.3).
Outcome afterLoad(Cpu& cpu, const Operation& op, SegmentName name) {
  if (name == SegmentName::ss) cpu.shadowRip = addressAfter(cpu, op);
  if (cpu.system.codeSize == CodeSize::bits64) return Outcome::next;
  cpu.rip = addressAfter(cpu, op);
  return Outcome::elsewhere;
}

Outcome loadFrom(Cpu& cpu, const Operation& op, std::uint64_t selector) {
  const auto name = static_cast<SegmentName>(op.to);
  if (!loadSegment(cpu, name, static_cast<std::uint16_t>(selector))) return Outcome::stopped;
  if (name == SegmentName::ss) cpu.singleStep = SingleStep::held;  // nor a single step; LSS has no such rule
  return afterLoad(cpu, op, name);
}

// ---- MOV to a segment register; `to` is the SegmentName

template <class Where>
Outcome moveToSegment(Cpu& cpu, const Operation& op) {
  std::uint16_t selector = 0;
  return Where::read(cpu, op, selector) ? loadFrom(cpu, op, selector) : Outcome::stopped;
}

// ---- MOV from one; `from` is the SegmentName

template <class T>
struct StoreToRegister {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    setReg(cpu, op.to, T{cpu.system.segments[op.from].selector});
    return true;
  }
};

bool storeToMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  return effectiveAddress<Form::any>(cpu, op, address) && store(cpu, address, cpu.system.segments[op.from].selector);
}

// ---- POP; `detail` is the operand size in bytes

Outcome popSegment(Cpu& cpu, const Operation& op) {
  const std::uint64_t before = cpu.gpr[kRsp];
  std::uint64_t selector = 0;
  if (!legacyPop(cpu, selector, op.detail)) return Outcome::stopped;
  const std::uint64_t after = cpu.gpr[kRsp];
  cpu.gpr[kRsp] = before;
  const Outcome outcome = loadFrom(cpu, op, selector);
  if (outcome != Outcome::stopped) cpu.gpr[kRsp] = after;
  return outcome;
}

// ---- LSS, LFS, LGS, LDS, LES: `to` the SegmentName, `from` the register for the offset, `detail` its size in bytes

Outcome loadFarPointer(Cpu& cpu, const Operation& op) {
  std::uint64_t address = 0, offset = 0;
  std::uint16_t selector = 0;
  if (!effectiveAddress<Form::any>(cpu, op, address) || !readLongWay(cpu, address, &offset, op.detail, Intent::read) ||
      !load(cpu, address + op.detail, selector))
    return Outcome::stopped;
  const auto name = static_cast<SegmentName>(op.to);
  if (!loadSegment(cpu, name, selector)) return Outcome::stopped;
  switch (op.detail) {
    case 2:
      setReg(cpu, op.from, static_cast<std::uint16_t>(offset));
      break;
    case 4:
      setReg(cpu, op.from, static_cast<std::uint32_t>(offset));
      break;
    default:
      setReg(cpu, op.from, offset);
  }
  return afterLoad(cpu, op, name);
}

// ---- lowering

bool isSegment(const Operand& operand) {
  return isRegister(operand) && ZydisRegisterGetClass(operand.reg.value) == ZYDIS_REGCLASS_SEGMENT;
}

std::uint8_t numberOf(ZydisRegister which) {
  return static_cast<std::uint8_t>(segmentName(which));
}

// In 64-bit mode a block goes on after a load, whose bases its operations ask for anew.
Operation& addLoad(const Instruction& instruction, Emitter& emitter, Handler handler) {
  return instruction.codeSize == CodeSize::bits64 ? emitter.add(handler) : emitter.addEnd(handler);
}

Operation& addMemoryLoad(const Instruction& instruction, Emitter& emitter, const std::array<Handler, 3>& handlers,
                         const Operand& memory) {
  return instruction.codeSize == CodeSize::bits64 ? emitter.addMemory(handlers, memory)
                                                  : emitter.addMemoryEnd(handlers, memory);
}

bool lowerLoad(const Instruction& instruction, Emitter& emitter) {
  const Operand& to = instruction.operand(0);
  const Operand& from = instruction.operand(1);
  if (to.reg.value == ZYDIS_REGISTER_CS) return false;  // no encoding of MOV loads it
  if (isMemory(from)) {
    addMemoryLoad(instruction, emitter, anySystemForm<&moveToSegment<InMemory>>(), from).to = numberOf(to.reg.value);
    return true;
  }
  Operation& op = addLoad(instruction, emitter, &system<&moveToSegment<InRegister>>);
  op.to = numberOf(to.reg.value);
  op.from = registerPlace(from.reg.value);
  return true;
}

bool lowerStore(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kToRegister = byWordSize<StoreToRegister>();
  const Operand& to = instruction.operand(0);
  addWithDestination(emitter, to, kToRegister[sizeIndex(to.size)], &step<&storeToMemory>).from =
      numberOf(instruction.operand(1).reg.value);
  return true;
}

template <SegmentName name>
bool lowerFarPointer(const Instruction& instruction, Emitter& emitter) {
  Operation& op = addMemoryLoad(instruction, emitter, anySystemForm<&loadFarPointer>(), instruction.operand(1));
  op.to = static_cast<std::uint8_t>(name);
  op.from = registerPlace(instruction.operand(0).reg.value);
  op.detail = static_cast<std::uint8_t>(instruction.operandBits() / 8);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_LSS, &lowerFarPointer<SegmentName::ss>},
    Lowering{ZYDIS_MNEMONIC_LFS, &lowerFarPointer<SegmentName::fs>},
    Lowering{ZYDIS_MNEMONIC_LGS, &lowerFarPointer<SegmentName::gs>},
    Lowering{ZYDIS_MNEMONIC_LDS, &lowerFarPointer<SegmentName::ds>},
    Lowering{ZYDIS_MNEMONIC_LES, &lowerFarPointer<SegmentName::es>},
    Lowering{ZYDIS_MNEMONIC_LGDT, &lowerLoadTable},
    Lowering{ZYDIS_MNEMONIC_LIDT, &lowerLoadTable},
    Lowering{ZYDIS_MNEMONIC_SGDT, &lowerStoreTable},
    Lowering{ZYDIS_MNEMONIC_SIDT, &lowerStoreTable},
    Lowering{ZYDIS_MNEMONIC_LLDT, &lowerLoadSystemSegment},
    Lowering{ZYDIS_MNEMONIC_LTR, &lowerLoadSystemSegment},
    Lowering{ZYDIS_MNEMONIC_SLDT, &lowerStoreSystemSegment},
    Lowering{ZYDIS_MNEMONIC_STR, &lowerStoreSystemSegment},
    Lowering{ZYDIS_MNEMONIC_LAR, &lowerLar},
    Lowering{ZYDIS_MNEMONIC_LSL, &lowerLsl},
    Lowering{ZYDIS_MNEMONIC_VERR, &lowerVerr},
    Lowering{ZYDIS_MNEMONIC_VERW, &lowerVerw},
    Lowering{ZYDIS_MNEMONIC_RDFSBASE, &lowerReadBase},
    Lowering{ZYDIS_MNEMONIC_RDGSBASE, &lowerReadBase},
    Lowering{ZYDIS_MNEMONIC_WRFSBASE, &lowerWriteBase},
    Lowering{ZYDIS_MNEMONIC_WRGSBASE, &lowerWriteBase},
    Lowering{ZYDIS_MNEMONIC_SWAPGS, &lowerSwapGs},
};

}  // namespace

std::span<const Lowering> segmentLoadLowerings() {
  return kLowerings;
}

bool lowerPopSegment(const Instruction& instruction, Emitter& emitter) {
  Operation& op = addLoad(instruction, emitter, &system<&popSegment>);
  op.to = numberOf(instruction.operand(0).reg.value);
  op.detail = static_cast<std::uint8_t>(instruction.operandBits() / 8);
  return true;
}

bool lowerMoveSegment(const Instruction& instruction, Emitter& emitter) {
  return isSegment(instruction.operand(0)) ? lowerLoad(instruction, emitter) : lowerStore(instruction, emitter);
}

}  // namespace qm::soft
