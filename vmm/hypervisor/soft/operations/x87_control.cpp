#include "vmm/hypervisor/soft/operations/x87_control.h"

#include "vmm/hypervisor/soft/operations/operand.h"
#include "vmm/hypervisor/soft/operations/x87_pending.h"

namespace qm::soft {

namespace {

// The control words' reset values; the registers keep their contents and are marked empty (SDM 2, FINIT).
bool initialise(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  X87State& x87 = cpu.x87;
  x87.control = 0x37f;
  x87.status = 0;
  x87.occupied = 0;
  x87.opcode = 0;
  x87.instruction = x87.operand = 0;
  return true;
}

bool clearExceptions(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  constexpr std::uint16_t kCleared = 0x80ff;  // all exceptions, SF, ES and B (SDM 1, figure 8-4)
  cpu.x87.status &= static_cast<std::uint16_t>(~kCleared);
  return true;
}

bool loadControl(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  std::uint16_t value = 0;
  if (raisesPendingX87(cpu) || !effectiveAddress<Form::any>(cpu, op, address) || !load(cpu, address, value))
    return false;
  loadWords(cpu.x87, value, cpu.x87.status);
  return true;
}

bool storeControl(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  return effectiveAddress<Form::any>(cpu, op, address) && store(cpu, address, cpu.x87.control);
}

bool storeStatus(Cpu& cpu, const Operation& op, Flags& /*flags*/) {
  std::uint64_t address = 0;
  return effectiveAddress<Form::any>(cpu, op, address) && store(cpu, address, cpu.x87.status);
}

bool statusIntoAx(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  setReg(cpu, 0, cpu.x87.status);
  return true;
}

// #NM by MP and TS together, whatever EM says (SDM 3A, table 2-2).
bool wait(Cpu& cpu, const Operation& /*op*/, Flags& /*flags*/) {
  constexpr std::uint64_t kSwitchedOff = cr0::kMp | cr0::kTs;
  if ((cpu.system.cr0 & kSwitchedOff) == kSwitchedOff) return raise(cpu, Exception::deviceNotAvailable);
  return !raisesPendingX87(cpu);
}

// What coprocessors had beside FNINIT to be set up by, and processors skip (SDM 3B, 24.18.1: FENI FDISI FSETPM).
bool skip(Cpu& /*cpu*/, const Operation& /*op*/, Flags& /*flags*/) {
  return true;
}

template <auto body>
bool lowerPlain(const Instruction& /*instruction*/, Emitter& emitter) {
  emitter.add(&step<body>);
  return true;
}

template <auto body>
bool lowerMemory(const Instruction& instruction, Emitter& emitter) {
  emitter.addMemory(anyForm<body>(), instruction.operand(0));
  return true;
}

bool lowerStoreStatus(const Instruction& instruction, Emitter& emitter) {
  return isMemory(instruction.operand(0)) ? lowerMemory<&storeStatus>(instruction, emitter)
                                          : lowerPlain<&statusIntoAx>(instruction, emitter);
}

constexpr std::array kLowerings{
    Lowering{ZYDIS_MNEMONIC_FNINIT, &lowerPlain<&initialise>},
    Lowering{ZYDIS_MNEMONIC_FNCLEX, &lowerPlain<&clearExceptions>},
    Lowering{ZYDIS_MNEMONIC_FLDCW, &lowerMemory<&loadControl>},
    Lowering{ZYDIS_MNEMONIC_FNSTCW, &lowerMemory<&storeControl>},
    Lowering{ZYDIS_MNEMONIC_FNSTSW, &lowerStoreStatus},
    Lowering{ZYDIS_MNEMONIC_FWAIT, &lowerPlain<&wait>},
    Lowering{ZYDIS_MNEMONIC_FENI8087_NOP, &lowerPlain<&skip>},
    Lowering{ZYDIS_MNEMONIC_FDISI8087_NOP, &lowerPlain<&skip>},
    Lowering{ZYDIS_MNEMONIC_FSETPM287_NOP, &lowerPlain<&skip>},
};

}  // namespace

std::span<const Lowering> x87ControlLowerings() {
  return kLowerings;
}

}  // namespace qm::soft
