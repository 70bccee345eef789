#include "vmm/hypervisor/soft/operations/control_moves.h"

#include "vmm/hypervisor/soft/operations/debug_moves.h"
#include "vmm/hypervisor/soft/operations/register_or_memory.h"
#include "vmm/hypervisor/soft/operations/segment_load.h"
#include "vmm/hypervisor/soft/system/control_registers.h"

namespace qm::soft {

namespace {

Outcome refuse(Cpu& cpu) {
  raise(cpu, Exception::generalProtection);
  return Outcome::stopped;
}

// After a change of modes the rest of the block is looked up anew.
Outcome goOn(Cpu& cpu, const Operation& op) {
  cpu.rip = addressAfter(cpu, op);
  return Outcome::elsewhere;
}

// ---- MOV; `detail` is the control register

Outcome readControl(Cpu& cpu, const Operation& op) {
  if (cpu.system.cpl != 0) return refuse(cpu);
  const std::uint64_t value = controlRegister(cpu, static_cast<ControlRegister>(op.detail));
  setReg(cpu, op.to, value);
  return Outcome::next;
}

Outcome writeControl(Cpu& cpu, const Operation& op) {
  if (cpu.system.cpl != 0) return refuse(cpu);
  const bool isWide = cpu.system.codeSize == CodeSize::bits64;
  const std::uint64_t value = isWide ? reg<std::uint64_t>(cpu, op.from) : reg<std::uint32_t>(cpu, op.from);
  if (!setControlRegister(cpu, op, static_cast<ControlRegister>(op.detail), value)) return Outcome::stopped;
  return goOn(cpu, op);
}

// ---- CLTS LMSW SMSW: the machine status word is CR0's low 16 bits (SDM 3A, 2.5)

Outcome clearTaskSwitched(Cpu& cpu, const Operation& op) {
  if (cpu.system.cpl != 0) return refuse(cpu);
  cpu.system.cr0 &= ~cr0::kTs;
  modeChanged(cpu);
  return goOn(cpu, op);
}

// PE, MP, EM and TS; PE can be set and not cleared.
template <class Where>
Outcome loadStatusWord(Cpu& cpu, const Operation& op) {
  if (cpu.system.cpl != 0) return refuse(cpu);
  std::uint16_t word = 0;
  if (!Where::read(cpu, op, word)) return Outcome::stopped;
  constexpr std::uint64_t kLoaded = cr0::kPe | cr0::kMp | cr0::kEm | cr0::kTs;
  const std::uint64_t keptPe = cpu.system.cr0 & cr0::kPe;
  const std::uint64_t value = (cpu.system.cr0 & ~kLoaded) | (word & kLoaded) | keptPe;
  if (!setControlRegister(cpu, op, ControlRegister::cr0, value)) return Outcome::stopped;
  return goOn(cpu, op);
}

bool mayLook(Cpu& cpu) {
  const bool isKept = (cpu.system.cr4 & cr4::kUmip) != 0 && cpu.system.cpl > 0;
  return !isKept || raise(cpu, Exception::generalProtection);
}

template <class T>
struct StoreStatusWord {
  static bool run(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
    if (!mayLook(cpu)) return false;
    setReg(cpu, op.to, static_cast<T>(cpu.system.cr0));
    return true;
  }
};

bool storeStatusWordToMemory(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  return mayLook(cpu) && effectiveAddress<Form::any>(cpu, op, address) &&
         store(cpu, address, static_cast<std::uint16_t>(cpu.system.cr0));
}

// ---- lowering

ZydisRegisterClass kindOf(const Operand& operand) {
  return isRegister(operand) ? ZydisRegisterGetClass(operand.reg.value) : ZYDIS_REGCLASS_INVALID;
}

bool lowerReadControl(const Instruction& instruction, Emitter& emitter) {
  const std::uint8_t number = registerNumber(instruction.operand(1).reg.value);
  if (!isControlRegister(number)) return false;
  // Outside 64-bit mode the upper half of a register is not seen before it is 0.
  Operation& op = emitter.add(&system<&readControl>);
  op.to = registerPlace(instruction.operand(0).reg.value);
  op.detail = number;
  return true;
}

bool lowerWriteControl(const Instruction& instruction, Emitter& emitter) {
  const std::uint8_t number = registerNumber(instruction.operand(0).reg.value);
  if (!isControlRegister(number)) return false;
  Operation& op = emitter.addEnd(&system<&writeControl>);
  op.from = registerPlace(instruction.operand(1).reg.value);
  op.detail = number;
  return true;
}

bool lowerClts(const Instruction& /*instruction*/, Emitter& emitter) {
  emitter.addEnd(&system<&clearTaskSwitched>);
  return true;
}

bool lowerLmsw(const Instruction& instruction, Emitter& emitter) {
  const Operand& from = instruction.operand(0);
  if (isMemory(from)) {
    emitter.addMemoryEnd(anySystemForm<&loadStatusWord<InMemory>>(), from);
    return true;
  }
  emitter.addEnd(&system<&loadStatusWord<InRegister>>).from = registerPlace(from.reg.value);
  return true;
}

bool lowerSmsw(const Instruction& instruction, Emitter& emitter) {
  static constexpr SizeTable kToRegister = byWordSize<StoreStatusWord>();
  const Operand& to = instruction.operand(0);
  addWithDestination(emitter, to, kToRegister[sizeIndex(to.size)], &step<&storeStatusWordToMemory>);
  return true;
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_CLTS, &lowerClts},
    Lowering{ZYDIS_MNEMONIC_LMSW, &lowerLmsw},
    Lowering{ZYDIS_MNEMONIC_SMSW, &lowerSmsw},
};

}  // namespace

std::span<const Lowering> controlMoveLowerings() {
  return kLowerings;
}

bool isSystemRegister(const Operand& operand) {
  const ZydisRegisterClass kind = kindOf(operand);
  return kind == ZYDIS_REGCLASS_CONTROL || kind == ZYDIS_REGCLASS_DEBUG || kind == ZYDIS_REGCLASS_SEGMENT;
}

bool lowerSystemMove(const Instruction& instruction, Emitter& emitter) {
  const ZydisRegisterClass to = kindOf(instruction.operand(0)), from = kindOf(instruction.operand(1));
  if (to == ZYDIS_REGCLASS_CONTROL) return lowerWriteControl(instruction, emitter);
  if (from == ZYDIS_REGCLASS_CONTROL) return lowerReadControl(instruction, emitter);
  if (to == ZYDIS_REGCLASS_DEBUG || from == ZYDIS_REGCLASS_DEBUG) return lowerDebugMove(instruction, emitter);
  return lowerMoveSegment(instruction, emitter);
}

}  // namespace qm::soft
