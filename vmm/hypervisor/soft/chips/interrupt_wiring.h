// What the fabric owns, and how an interrupt gets from one chip to another: inside the one lock, with the vCPUs told of
// their news outside it.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "vmm/hypervisor/soft/chips/cpu_set.h"
#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"
#include "vmm/hypervisor/soft/chips/io_apic.h"
#include "vmm/hypervisor/soft/chips/local_apic.h"
#include "vmm/hypervisor/soft/chips/pic.h"
#include "vmm/hypervisor/soft/chips/pit.h"
#include "vmm/hypervisor/soft/chips/work_hint.h"

namespace qm::soft {

// One vCPU's side.
struct WiredCpu {
  WiredCpu(std::uint32_t index, CpuWires cpuWires, std::uint32_t tscKhz)
      : wires(std::move(cpuWires)), apic(index, tscKhz) {}

  // What it could take, as InterruptDelivery saw it last; a vector is itself.
  static constexpr int kNothing = -1, kFromPic = 256;

  WorkHint hint;
  CpuWires wires;
  LocalApicChip apic;
  int knownVector = kNothing;
  unsigned knownUnmaskable = 0;
};

struct InterruptWiring {
  InterruptWiring(PitModel pitModel, std::uint32_t khz);

  WiredCpu& cpu(std::uint32_t index) const;
  std::uint64_t nanoseconds(std::uint64_t tsc) const;

  std::mutex mutex;  // of all that follows, but for the hints and, once a vCPU runs, the list itself
  std::uint32_t tscKhz;
  std::vector<std::unique_ptr<WiredCpu>> cpus;  // by index, with gaps
  IoApicChip ioApic;
  PicPair pic;
  std::optional<PitChip> pit;
};

// One call's hold of the lock. Whoever has news through it is called when the lock is free again.
class InterruptDelivery {
 public:
  explicit InterruptDelivery(InterruptWiring& wiring);
  InterruptDelivery(const InterruptDelivery&) = delete;
  InterruptDelivery& operator=(const InterruptDelivery&) = delete;
  ~InterruptDelivery();

  // After every change of a vCPU's local APIC.
  void refresh(std::uint32_t index);
  // The same for a vCPU that asks, and need not be called. Whether it has something that it did not have before.
  bool look(std::uint32_t index);
  // The same when the vCPU has taken something: what is left is news again, so that it may look, take one thing and
  // sleep.
  void refreshTaken(std::uint32_t index);
  // What the vCPU's own access to its APIC led to; refreshes it.
  void carryOut(const ApicAction& action, std::uint32_t sender);
  // Of the IOAPIC.
  void send(PinSet pins);

 private:
  bool deliver(const InterruptMessage& message, std::uint32_t sender);
  bool deliverToLowest(const InterruptMessage& message, std::uint32_t sender);
  bool hand(const InterruptMessage& message, std::uint32_t index);
  bool isTarget(const InterruptMessage& message, std::uint32_t sender, std::uint32_t index) const;

  InterruptWiring& wiring_;
  std::unique_lock<std::mutex> lock_;
  bool picBefore_;
  CpuSet news_;
};

}  // namespace qm::soft
