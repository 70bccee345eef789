#include "vmm/hypervisor/soft/operations/debug_moves.h"

#include "vmm/hypervisor/soft/cpu/debug.h"
#include "vmm/hypervisor/soft/operations/operand.h"

namespace qm::soft {

namespace {

// DR6 and DR7: what can be written, and what always reads as 1 (SDM 3B, figure 17-1): no RTM, no bus-lock detection.
constexpr std::uint64_t kDr6Writable = dr6::kBreakpoints | dr6::kBd | dr6::kBs | dr6::kBt;
constexpr std::uint64_t kDr7Writable = 0xffff'23ff;
constexpr std::uint8_t kDr4 = 4, kDr6 = 6, kDr7 = 7;

// DR4 and DR5 are DR6 and DR7, unless CR4.DE closes them. The order of faults is the manual's. False: stopped.
bool mayMove(Cpu& cpu, std::uint8_t& number) {
  if (number == kDr4 || number == kDr4 + 1) {
    if ((cpu.system.cr4 & cr4::kDe) != 0) return raise(cpu, Exception::invalidOpcode);
    number = static_cast<std::uint8_t>(number + 2);
  }
  if (cpu.system.cpl != 0) return raise(cpu, Exception::generalProtection);
  return (cpu.system.debug.dr7 & dr7::kGd) == 0 || raiseDebug(cpu, dr6::kBd);
}

Outcome readDebug(Cpu& cpu, const Operation& op) {
  std::uint8_t number = op.detail;
  if (!mayMove(cpu, number)) return Outcome::stopped;
  const DebugRegisters& debug = cpu.system.debug;
  setReg(cpu, op.to, number == kDr6 ? debug.dr6 : number == kDr7 ? debug.dr7 : debug.db[number]);
  return Outcome::next;
}

Outcome writeDebug(Cpu& cpu, const Operation& op) {
  std::uint8_t number = op.detail;
  if (!mayMove(cpu, number)) return Outcome::stopped;
  const bool isWide = cpu.system.codeSize == CodeSize::bits64;
  const std::uint64_t value = isWide ? reg<std::uint64_t>(cpu, op.from) : reg<std::uint32_t>(cpu, op.from);
  if (number >= kDr6 && value >> 32U != 0) {
    raise(cpu, Exception::generalProtection);
    return Outcome::stopped;
  }
  DebugRegisters& debug = cpu.system.debug;
  if (number == kDr6) {
    debug.dr6 = (value & kDr6Writable) | dr6::kReserved;
  } else if (number == kDr7) {
    debug.dr7 = (value & kDr7Writable) | dr7::kReserved;
  } else {
    debug.db[number] = value;
  }
  modeChanged(cpu);
  cpu.attention.store(true, std::memory_order_relaxed);  // breakpoints on instructions are the loop's
  cpu.rip = addressAfter(cpu, op);
  return Outcome::elsewhere;
}

}  // namespace

bool lowerDebugMove(const Instruction& instruction, Emitter& emitter) {
  const Operand& to = instruction.operand(0);
  const Operand& from = instruction.operand(1);
  const bool isWrite = ZydisRegisterGetClass(to.reg.value) == ZYDIS_REGCLASS_DEBUG;
  const std::uint8_t number = registerNumber(isWrite ? to.reg.value : from.reg.value);
  if (number > kDr7) return false;
  if (isWrite) {
    Operation& op = emitter.addEnd(&system<&writeDebug>);
    op.from = registerPlace(from.reg.value);
    op.detail = number;
  } else {
    Operation& op = emitter.add(&system<&readDebug>);
    op.to = registerPlace(to.reg.value);
    op.detail = number;
  }
  return true;
}

}  // namespace qm::soft
