// All interrupt controllers of one VM, wired together as KVM's in-kernel irqchip is: a local APIC for each vCPU (SDM
// 3A, chapter 11), one IOAPIC of 24 pins (82093AA), two 8259A, and where asked for an 8254.
//
// Threads: any thread may call anything, one mutex protects it all; only addCpu() comes before every other use.
// CpuWires::onWork is called outside the mutex.
//
// Time: the fabric has no clock. A `tsc` argument is the moment, in that vCPU's own time stamp counter; it does not go
// back between calls but through adjustTsc(). Timers that have run out by then fire before the call does its work.
//
// The guest's errors are the guest's: no argument that comes from it can fail a CHECK. An `index` is a vCPU that was
// added.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/hypervisor/soft/chips/work_hint.h"
#include "vmm/hypervisor/state.h"

namespace qm::soft {

struct CpuWires {
  // This vCPU has something to look at that it did not have before: a vector above its priority, an NMI, INIT or SIPI.
  // Any thread, outside the fabric's lock, the vCPU's own thread included (an IPI to itself); it must not block, and
  // may come when the work has been taken already. What is left after acknowledge() or take…() is told again: a vCPU
  // may look once, take one thing and wait for the next call. work() does not call it for the vCPU that it answers. A
  // timer that will run out is not announced: see nextDeadline().
  std::function<void()> onWork;
};

// What waits for a vCPU. It takes INIT first, then SIPI (which counts only while it waits for one), NMI, the vector.
struct CpuWork {
  bool nmi = false;
  bool init = false;
  std::optional<std::uint8_t> sipi;
  // Above the processor's priority, or the PIC's; what acknowledge() would answer, RFLAGS.IF permitting.
  std::optional<std::uint8_t> vector;
  bool operator==(const CpuWork&) const = default;
};

struct InterruptWiring;

class InterruptFabric {
 public:
  // tscKhz: of every vCPU's TSC, not 0. The APIC timers' bus clock is 1 GHz, as KVM's.
  InterruptFabric(PitModel pit, std::uint32_t tscKhz);
  ~InterruptFabric();
  InterruptFabric(const InterruptFabric&) = delete;
  InterruptFabric& operator=(const InterruptFabric&) = delete;

  // Before any vCPU runs. The index is the APIC id, at most 254; 0 is the boot processor.
  void addCpu(std::uint32_t index, CpuWires wires);
  // Before a snapshot is loaded. A timer that runs keeps the TSC value at which it runs out.
  void setTscKhz(std::uint32_t tscKhz);

  // A GSI is an IOAPIC pin; below 16 a line of the PICs too. Others than 0-23 are nobody's.
  void setLine(std::uint32_t gsi, bool raised);
  // An NMI from outside the APICs, or one that a snapshot has pending.
  void raiseNmi(std::uint32_t index);

  // --- The local APIC as the guest sees it.
  // xAPIC's page, SDM 3A table 11-1. A read answers the register's 4 bytes from `offset` on, the first of them in the
  // low byte; narrower reads take the low part. A write is of 4 bytes: the caller drops narrower and wider ones, as
  // KVM. In x2APIC mode, and while the APIC is off, reads give all ones and writes go nowhere.
  std::uint32_t readLocal(std::uint32_t index, std::uint32_t offset, std::uint64_t tsc);
  void writeLocal(std::uint32_t index, std::uint32_t offset, std::uint32_t value, std::uint64_t tsc);
  // x2APIC's MSRs, 0x800-0x8ff, SDM 3A table 11-6. Nothing, and false: #GP.
  std::optional<std::uint64_t> readX2(std::uint32_t index, std::uint32_t msr, std::uint64_t tsc);
  bool writeX2(std::uint32_t index, std::uint32_t msr, std::uint64_t value, std::uint64_t tsc);
  // IA32_APIC_BASE. False: #GP, for a reserved bit or a change of mode that SDM 3A 11.12.5 forbids. Bits between the
  // guest's MAXPHYADDR and 51 are the caller's to check.
  std::uint64_t apicBase(std::uint32_t index) const;
  bool setApicBase(std::uint32_t index, std::uint64_t value);
  // IA32_TSC_DEADLINE, SDM 3A 11.5.4.1. 0 disarms; a moment in the past fires at once; reads 0 once it has fired, and
  // in the timer's other modes, in which writes go nowhere.
  std::uint64_t tscDeadline(std::uint32_t index, std::uint64_t tsc);
  void setTscDeadline(std::uint32_t index, std::uint64_t value, std::uint64_t tsc);
  // Bits 7:4 of the task priority. Of the value only 4 bits count.
  std::uint8_t cr8(std::uint32_t index) const;
  void setCr8(std::uint32_t index, std::uint8_t value);
  // The vCPU's TSC was set from one value to another (IA32_TSC, IA32_TSC_ADJUST): what counts the bus clock goes on as
  // it was, a deadline keeps its value.
  void adjustTsc(std::uint32_t index, std::uint64_t from, std::uint64_t to);

  // --- What the vCPU asks between instructions.
  // Lives as long as the fabric: a vCPU keeps the reference.
  const WorkHint& hint(std::uint32_t index) const;
  bool mayHaveWork(std::uint32_t index, std::uint64_t tsc) const noexcept { return hint(index).mayHaveWork(tsc); }
  CpuWork work(std::uint32_t index, std::uint64_t tsc);
  // Takes the vector that work() told of, or one that has come since and goes before it: from IRR to ISR, or by the
  // PIC's two INTA cycles. Nothing: it was taken away meanwhile.
  std::optional<std::uint8_t> acknowledge(std::uint32_t index);
  void takeNmi(std::uint32_t index);
  // Resets the local APIC but for its id and mode (SDM 3A 11.4.7.3).
  void takeInit(std::uint32_t index);
  void takeSipi(std::uint32_t index);
  // The TSC value at which this vCPU's timer interrupts it next, in the past if work() has not seen it yet; nothing: it
  // will not by itself.
  std::optional<std::uint64_t> nextDeadline(std::uint32_t index) const;

  // --- The chips that all vCPUs share.
  // The IOAPIC's page: an offset from its base; 4 bytes, as for the local APIC.
  std::uint32_t readIo(std::uint32_t offset) const;
  void writeIo(std::uint32_t offset, std::uint32_t value);
  // The PICs' ports, and the PIT's where there is one. A byte each; to ports that are not owned nothing happens.
  bool ownsPort(std::uint16_t port) const;
  std::uint8_t readPort(std::uint16_t port, std::uint64_t tsc);
  void writePort(std::uint16_t port, std::uint8_t value, std::uint64_t tsc);

  // --- Snapshots, in KVM's layout. Order of loading as state.h gives it: the APIC base, the local APIC, the deadline,
  // NMI; the chips after all vCPUs.
  // Not a guest's write: any mode may follow any. False: the value is none that the register can have.
  bool loadApicBase(std::uint32_t index, std::uint64_t value);
  // Before tscDeadline() is saved: a timer that has run out by `tsc` is in the page as a request.
  LocalApic saveLocal(std::uint32_t index, std::uint64_t tsc);
  void loadLocal(std::uint32_t index, const LocalApic& state, std::uint64_t tsc);
  // CpuState::timerExpiry; loaded after the local APIC.
  std::uint64_t timerExpiry(std::uint32_t index) const;
  void loadTimerExpiry(std::uint32_t index, std::uint64_t tsc);
  // Everything of VmState but its clock. `tsc` is the boot processor's: the PIT starts over with it. Lines that are up
  // interrupt at once.
  void saveChips(VmState& state) const;
  void loadChips(const VmState& state, std::uint64_t tsc);

 private:
  std::unique_ptr<InterruptWiring> wiring_;
};

}  // namespace qm::soft
