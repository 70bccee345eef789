// What guests of several tests do with their interrupt controllers: the local APIC in xAPIC mode (SDM 3A, table 11-1)
// and the IOAPIC (82093AA).
#pragma once

#include <cstdint>

#include "tests/contract/guest_code.h"

namespace qm::contract {

inline constexpr std::uint64_t kLocalApic = 0xfee0'0000, kIoApic = 0xfec0'0000;
// Offsets of the local APIC's registers.
inline constexpr std::uint64_t kEndOfInterrupt = 0xb0, kSpurious = 0xf0, kCommandLow = 0x300, kCommandHigh = 0x310,
                               kLvtTimer = 0x320, kLvtPin0 = 0x350, kTimerInitial = 0x380, kTimerCurrent = 0x390,
                               kTimerDivide = 0x3e0;
inline constexpr std::uint32_t kMasked = 1U << 16U, kDivideByOne = 0xb, kTimerPeriodic = 1U << 17U,
                               kTimerDeadline = 2U << 17U;
inline constexpr std::uint32_t kDeadlineMsr = 0x6e0;

enum class Trigger : std::uint8_t { edge, level };

// On, with the PIC's way in shut.
inline void enableLocalApic(GuestCode& code) {
  code.poke(kLocalApic + kSpurious, 0x1ff);
  code.poke(kLocalApic + kLvtPin0, kMasked);
}

inline void endInterrupt(GuestCode& code) {
  code.poke(kLocalApic + kEndOfInterrupt, 0);
}

// An IOAPIC pin to a vector of the processor with APIC id 0.
inline void routePin(GuestCode& code, std::uint32_t pin, std::uint8_t vector, Trigger trigger) {
  const std::uint32_t low = 0x10 + 2 * pin;
  code.poke(kIoApic, low + 1);
  code.poke(kIoApic + 0x10, 0);
  code.poke(kIoApic, low);
  code.poke(kIoApic + 0x10, vector | (trigger == Trigger::level ? 1U << 15U : 0U));
}

inline void interruptSelf(GuestCode& code, std::uint8_t vector) {
  code.poke(kLocalApic + kCommandLow, 0x0004'4000U | vector);
}

// A handler that reports `value`, counts in r15 and returns.
inline GuestCode::Label emitCountingHandler(GuestCode& code, std::uint32_t value) {
  const GuestCode::Label handler = code.here();
  code.push(Reg::rax);
  code.push(Reg::rdi);
  code.report(0x10, value);
  code.increment(Reg::r15);
  endInterrupt(code);
  code.pop(Reg::rdi);
  code.pop(Reg::rax);
  code.iret();
  return handler;
}

// Sleeps until r15 counts `count` interrupts or more: another may come between a handler's return and the CLI.
inline void waitForInterrupts(GuestCode& code, std::uint64_t count) {
  const GuestCode::Label again = code.here();
  code.sti();
  code.hlt();
  code.cli();
  code.move(Reg::rbx, count);
  code.compare(Reg::r15, Reg::rbx);
  code.jumpIfCarry(again);
}

}  // namespace qm::contract
