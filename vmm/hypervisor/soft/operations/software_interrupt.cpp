#include "vmm/hypervisor/soft/operations/software_interrupt.h"

#include "vmm/hypervisor/soft/cpu/unmodelled.h"
#include "vmm/hypervisor/soft/system/descriptor.h"
#include "vmm/hypervisor/soft/system/events.h"

namespace qm::soft {

namespace {

// The handler returns to the next instruction: these are traps.
Outcome enter(Cpu& cpu, const Operation& op, std::uint8_t vector, Event::Source source) {
  if (!isLongMode(cpu)) {
    refuseUnmodelled(cpu, op);
    return Outcome::stopped;
  }
  const Event event{.vector = vector, .source = source, .returnRip = addressAfter(cpu, op)};
  return enterHandler(cpu, event) ? Outcome::elsewhere : Outcome::stopped;
}

Outcome interrupt(Cpu& cpu, const Operation& op) {
  return enter(cpu, op, op.detail, Event::Source::software);
}

// INT1 asks no gate for its rights: it stands for a debugger's hardware.
Outcome interruptForDebugger(Cpu& cpu, const Operation& op) {
  return enter(cpu, op, static_cast<std::uint8_t>(Exception::debug), Event::Source::hardware);
}

Outcome interruptOnOverflow(Cpu& cpu, const Operation& op) {
  if ((cpu.flags & kOverflow) == 0) {
    cpu.rip = addressAfter(cpu, op);
    return Outcome::elsewhere;
  }
  return enter(cpu, op, static_cast<std::uint8_t>(Exception::overflow), Event::Source::software);
}

}  // namespace

bool lowerInterrupt(const Instruction& instruction, Emitter& emitter) {
  switch (instruction.mnemonic()) {
    case ZYDIS_MNEMONIC_INT:
      emitter.addEnd(&system<&interrupt>).detail = static_cast<std::uint8_t>(instruction.operand(0).imm.value.u);
      return true;
    case ZYDIS_MNEMONIC_INT3:
      emitter.addEnd(&system<&interrupt>).detail = static_cast<std::uint8_t>(Exception::breakpoint);
      return true;
    case ZYDIS_MNEMONIC_INT1:
      emitter.addEnd(&system<&interruptForDebugger>);
      return true;
    case ZYDIS_MNEMONIC_INTO:
      emitter.addEnd(&system<&interruptOnOverflow>);
      return true;
    default:
      return false;
  }
}

}  // namespace qm::soft
