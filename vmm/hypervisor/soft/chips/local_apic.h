// The local APIC of one vCPU: SDM 3A, chapter 11.
//
// Modelled: xAPIC and x2APIC mode with their ways between each other; IRR, ISR and TMR, task and processor priority;
// the ICR in all its modes; physical and logical destinations, flat and clustered; the LVT's timer, error and LINT0
// (ExtINT, the PIC's way in); the error status register; software and hardware disable; INIT. What state it has lies as
// KVM has it, quirks included: after a reset the boot processor's LINT0 lets the PIC in, though the APIC is disabled.
// Not modelled: the thermal, performance and LINT1 sources (their LVT entries are storage), SMI, remote read, the
// suppression of EOI broadcasts, focus processors, arbitration ids. The id cannot be written. Errors that are detected
// but not yet latched by a write to the ESR are not part of a snapshot.
//
// A value: no threads, no clock, no neighbours. What goes beyond this APIC is returned.
#pragma once

#include <array>
#include <cstdint>
#include <optional>

#include "vmm/hypervisor/soft/chips/apic_timer.h"
#include "vmm/hypervisor/soft/chips/interrupt_message.h"
#include "vmm/hypervisor/soft/chips/local_apic_registers.h"
#include "vmm/hypervisor/soft/chips/vector_set.h"
#include "vmm/hypervisor/state.h"

namespace qm::soft {

// What a guest's access asks of the others.
struct ApicAction {
  std::optional<InterruptMessage> send;
  std::optional<std::uint8_t> endOfLevel;  // the vector of a level-triggered interrupt that has ended
};

class LocalApicChip {
 public:
  // The id is at most 254; 0 is the boot processor.
  LocalApicChip(std::uint32_t id, std::uint32_t tscKhz);

  void setTscKhz(std::uint32_t tscKhz) { timer_.setTscKhz(tscKhz); }
  // Lets the timer run out, if its time has come. Everything below that takes a `tsc` expects it done for that moment.
  void advance(std::uint64_t tsc);

  // --- The guest's accesses.
  std::uint32_t readPage(std::uint32_t offset, std::uint64_t tsc);
  ApicAction writePage(std::uint32_t offset, std::uint32_t value, std::uint64_t tsc);
  // Nothing: #GP.
  std::optional<std::uint64_t> readMsr(std::uint32_t msr, std::uint64_t tsc) const;
  std::optional<ApicAction> writeMsr(std::uint32_t msr, std::uint64_t value, std::uint64_t tsc);
  std::uint64_t base() const { return base_; }
  // False: #GP, by SDM 3A 11.12.5.
  bool setBase(std::uint64_t value);
  std::uint64_t deadline() const { return timer_.deadline(); }
  void setDeadline(std::uint64_t deadline) { timer_.setDeadline(deadline); }
  std::uint8_t taskPriority() const { return taskPriority_; }
  void setTaskPriority(std::uint8_t value) { taskPriority_ = value; }
  void moveTsc(std::uint64_t from, std::uint64_t to) { timer_.moveTsc(from, to); }

  // --- Messages that arrive.
  // Whether a message without shorthand is for this APIC.
  bool isAddressedBy(const InterruptMessage& message) const;
  // Whether fixed interrupts reach it.
  bool takesVectors() const { return isOn() && isSoftwareEnabled(); }
  // Whether it took the message; one that was pending already counts.
  bool accept(const InterruptMessage& message);
  void raiseNmi() { nmi_ = true; }

  // --- What waits for the processor.
  std::uint8_t processorPriority() const;
  // The highest vector whose class is above the processor's priority.
  std::optional<std::uint8_t> requested() const;
  // The same, from IRR to ISR.
  std::optional<std::uint8_t> acknowledge();
  // Whether the PIC's output interrupts this processor.
  bool admitsPic() const;
  bool hasNmi() const { return nmi_; }
  bool hasInit() const { return init_; }
  std::optional<std::uint8_t> sipi() const { return sipi_; }
  void takeNmi() { nmi_ = false; }
  void takeInit();
  void takeSipi() { sipi_.reset(); }
  // When the timer will interrupt.
  std::optional<std::uint64_t> nextExpiry() const;

  // --- Snapshots.
  bool loadBase(std::uint64_t value);
  // 0: the timer stands.
  std::uint64_t timerExpiry() const { return timer_.expiry().value_or(0); }
  void setTimerExpiry(std::uint64_t tsc) { timer_.setExpiry(tsc); }
  LocalApic save(std::uint64_t tsc) const;
  void load(const LocalApic& state, std::uint64_t tsc);

  bool isOn() const { return (base_ & apic_base::kEnabled) != 0; }
  bool isX2() const { return (base_ & apic_base::kX2Apic) != 0; }

 private:
  bool isSoftwareEnabled() const { return (spurious_ & spurious::kEnabled) != 0; }
  std::uint32_t logicalId() const;
  void resetRegisters();
  void changeBase(std::uint64_t value);
  std::uint32_t read(ApicRegister which, std::uint64_t tsc) const;
  ApicAction write(ApicRegister which, std::uint32_t value, std::uint64_t tsc);
  std::optional<std::uint8_t> endInterrupt();
  void writeSpurious(std::uint32_t value);
  void writeLvt(std::size_t entry, std::uint32_t value, std::uint64_t tsc);
  std::optional<InterruptMessage> sendCommand();
  bool acceptVector(std::uint8_t vector, Trigger trigger);
  void interruptThrough(std::size_t lvtEntry);
  void detectError(std::uint32_t error);

  std::uint32_t id_;
  std::uint64_t base_;
  std::uint8_t taskPriority_ = 0;
  std::uint32_t logicalDestination_ = 0;  // of xAPIC mode
  std::uint32_t destinationFormat_ = 0;
  std::uint32_t spurious_ = 0;
  std::uint32_t errorStatus_ = 0;
  std::uint32_t errorsDetected_ = 0;  // since the last write to the ESR
  std::uint32_t command_ = 0, commandHigh_ = 0;
  std::array<std::uint32_t, kLvtCount> lvt_{};
  VectorSet request_, inService_, triggerMode_;
  ApicTimer timer_;
  bool nmi_ = false, init_ = false;
  std::optional<std::uint8_t> sipi_;
};

}  // namespace qm::soft
