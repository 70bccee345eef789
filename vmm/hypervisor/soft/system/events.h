// Delivery of exceptions and interrupts through the IDT (SDM 3A, chapter 6).
// Modelled: 64-bit mode: interrupt and trap gates, stack switch by TSS and IST, error codes, double and triple faults.
// Not modelled: task gates, and delivery in the modes before 64-bit mode, in which no code of ours takes an interrupt.
#pragma once

#include <cstdint>
#include <optional>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

struct Event {
  enum class Source : std::uint8_t {
    hardware,  // an exception, an NMI or an external interrupt: any gate will do
    software,  // INT n, INT3, INTO: the gate's DPL must let the CPL through
  };
  std::uint8_t vector = 0;
  Source source = Source::hardware;
  std::optional<std::uint32_t> errorCode;
  std::uint64_t returnRip = 0;
  bool isFault = false;  // its return address is the instruction that faulted: RF is set in the frame
};

// Enters the handler: cpu.rip and the rest are its. False: that faulted (cpu.fault), and nothing was changed.
bool enterHandler(Cpu& cpu, const Event& event);

enum class Delivery : std::uint8_t {
  done,
  tripleFault,
  notModelled,  // outside of 64-bit mode
  onDevice,     // a stack, a table or a TSS that it needs is no memory
};

// Delivers cpu.fault as the exception that it is, at cpu.rip; a fault on the way becomes what SDM 3A, table 6-5 says.
Delivery deliverFault(Cpu& cpu);
// An external interrupt or an NMI, at cpu.rip.
Delivery deliverInterrupt(Cpu& cpu, std::uint8_t vector);

}  // namespace qm::soft
