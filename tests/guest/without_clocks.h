// A machine's state without what goes on by itself.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "vmm/machine/machine_state.h"

namespace qm::test {

// MSRs, and registers of the local APIC (SDM 3A, table 11-1).
inline constexpr std::uint32_t kTsc = 0x10, kTscAdjust = 0x3b, kTscDeadline = 0x6e0;
inline constexpr std::size_t kRequests = 0x200, kLvtTimer = 0x320, kTimerInitialCount = 0x380,
                             kTimerCurrentCount = 0x390;

// Without the timers that would go off by themselves. A vCPU that was not halted takes the interrupt of one that has
// while it is saved (the vector goes from IRR to ISR and into the events), as it would have when resumed: seen in the
// lab in one save of 25.
inline MachineState withTimersStopped(MachineState state) {
  for (CpuState& cpu : state.cpus) {
    for (MsrValue& msr : cpu.msrs) {
      if (msr.index == kTscDeadline) msr.value = 0;
    }
    std::fill_n(cpu.localApic.registers.begin() + kTimerInitialCount, 4, std::byte{0});
    std::fill_n(cpu.localApic.registers.begin() + kTimerCurrentCount, 4, std::byte{0});
  }
  return state;
}

// Clocks go on between two saves; everything else must not.
inline MachineState withoutClocks(MachineState state) {
  state.vm.clock = {};
  for (CpuState& cpu : state.cpus) {
    std::erase_if(cpu.msrs, [](const MsrValue& msr) {
      return msr.index == kTsc || msr.index == kTscAdjust || msr.index == kTscDeadline;
    });
    std::fill_n(cpu.localApic.registers.begin() + kTimerCurrentCount, 4, std::byte{0});
    // A deadline that passed meanwhile has become a request for the timer's vector (SDM 3A, 11.8.4: IRR).
    const auto vector = std::to_integer<std::size_t>(cpu.localApic.registers[kLvtTimer]);
    std::byte& requests = cpu.localApic.registers[kRequests + vector / 32 * 16 + vector % 32 / 8];
    requests &= ~(std::byte{1} << vector % 8);
  }
  return state;
}

}  // namespace qm::test
