// RFLAGS as system instructions load it: who may change what (SDM 3A, 2.3; SDM 2, IRET), and what follows when
// interrupts are opened or the next instruction is to be traced.
#pragma once

#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

constexpr std::uint8_t ioplOf(std::uint64_t rflags) {
  return static_cast<std::uint8_t>(rflags >> 12U & 3U);
}

// CLI, STI and the port instructions want CPL <= IOPL. Real mode runs at 0.
inline bool mayChangeInterruptFlag(const Cpu& cpu) {
  return cpu.system.cpl <= ioplOf(cpu.rflags);
}

// Makes the loop look before the next block.
inline void askForAttention(Cpu& cpu) {
  cpu.attention.store(true, std::memory_order_relaxed);
}

// IF has become 1. True if something may have been held back, and the loop will look. (A timer that has run out and
// that nobody has seen yet is found when the loop looks at the clock next, as with IF at 1 all along.)
inline bool interruptsOpened(Cpu& cpu) {
  if (!cpu.around.chips.mayHaveWork(cpu.around.index, WorkHint::kNow)) [[likely]]
    return false;
  askForAttention(cpu);
  return true;
}

// Loads what `changeable` covers, status flags always. RF is kept where breakpoints on instructions could ask for it;
// the loop clears it after an instruction. The caller calls modeChanged().
inline void loadFlags(Cpu& cpu, std::uint64_t value, std::uint64_t changeable) {
  const std::uint64_t before = cpu.rflags;
  cpu.singleStep = SingleStep::certain;
  cpu.flags = statusFromRflags(value);
  cpu.rflags = (before & ~changeable & ~rflags::kStatus) | (value & changeable & ~rflags::kStatus);
  if ((cpu.system.debug.dr7 & 0xffU) == 0) cpu.rflags &= ~rflags::kRf;
  if ((cpu.rflags & (rflags::kTf | rflags::kRf)) != 0) askForAttention(cpu);
  if ((cpu.rflags & ~before & rflags::kIf) != 0) interruptsOpened(cpu);
}

}  // namespace qm::soft
