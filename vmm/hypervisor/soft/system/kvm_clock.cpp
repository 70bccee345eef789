#include "vmm/hypervisor/soft/system/kvm_clock.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <cstring>
#include <utility>

#include "vmm/hypervisor/soft/memory/code_watch.h"
#include "vmm/hypervisor/soft/memory/physical_memory.h"

namespace qm::soft {

namespace {

constexpr std::uint64_t kEnable = 1;  // of the system-time MSR

// struct pvclock_vcpu_time_info behind its version.
struct TimeInfo {
  std::uint32_t padding = 0;
  std::uint64_t tscTimestamp = 0;
  std::uint64_t systemTime = 0;
  std::uint32_t multiplier = 0;
  std::int8_t shift = 0;
  std::uint8_t flags = 0;
  std::array<std::uint8_t, 2> padding2{};
} __attribute__((packed));
static_assert(sizeof(TimeInfo) == 28);
constexpr std::uint8_t kTscStable = 1, kGuestStopped = 2;

// struct pvclock_wall_clock behind its version: the wall clock's time at which the guest booted.
struct BootTime {
  std::uint32_t seconds = 0, nanoseconds = 0;
};

// A structure of the guest's that begins with a version.
class Versioned {
 public:
  // bytes: with the version. Nowhere if not all of them are memory.
  Versioned(Cpu& cpu, std::uint64_t physical, std::uint64_t bytes) : cpu_(cpu), physical_(physical), bytes_(bytes) {
    PhysicalMemory::Slot* slot = cpu.around.memory.find(physical);
    if (slot == nullptr || !slot->contains(physical + bytes - 1)) return;
    slot_ = slot;
    host_ = slot->host().data() + (physical - slot->start());
  }

  bool isSomewhere() const { return slot_ != nullptr; }

  template <class Body>
  Body read() const {
    Body body;
    std::memcpy(&body, host_ + sizeof(std::uint32_t), sizeof body);
    return body;
  }

  // Whether readers find just that already.
  template <class Body>
  bool holds(const Body& body) const {
    std::uint32_t version = 0;
    std::memcpy(&version, host_, sizeof version);
    return version % 2 == 0 && std::memcmp(host_ + sizeof version, &body, sizeof body) == 0;
  }

  // Readers on other vCPUs see an odd version, or another one afterwards.
  template <class Body>
  void write(const Body& body) {
    std::uint32_t version = 0;
    std::memcpy(&version, host_, sizeof version);
    version = (version + 1) | 1U;
    putVersion(version);
    std::memcpy(host_ + sizeof version, &body, sizeof body);
    putVersion(version + 1);
    for (std::uint64_t page = physical_ & kPageMask; page < physical_ + bytes_; page += kPageBytes)
      slot_->markDirty(std::max(page, physical_));
    cpu_.around.code.written(World::Caller::running, physical_, bytes_);
  }

 private:
  void putVersion(std::uint32_t version) {
    std::atomic_thread_fence(std::memory_order_seq_cst);
    std::memcpy(host_, &version, sizeof version);
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }

  Cpu& cpu_;
  std::uint64_t physical_, bytes_;
  PhysicalMemory::Slot* slot_ = nullptr;
  std::byte* host_ = nullptr;
};

}  // namespace

void writeKvmClock(Cpu& cpu, Rewriting rewriting) {
  KvmClockState& state = cpu.system.kvmClock;
  const GuestClock& clock = cpu.around.clock;
  state.writtenFor = clock.generation();
  Versioned page(cpu, state.systemTime & ~kEnable, sizeof(std::uint32_t) + sizeof(TimeInfo));
  if (!page.isSomewhere()) return;
  TimeInfo info{.tscTimestamp = clock.origin().ticks + cpu.system.tscOffset,
                .systemTime = clock.origin().guestNs,
                .multiplier = clock.scale().multiplier,
                .shift = clock.scale().shift};
  if (cpu.system.tscOffset == clock.sharedOffset()) info.flags |= kTscStable;
  // It stays until the guest has seen it.
  info.flags |= page.read<TimeInfo>().flags & kGuestStopped;
  if (std::exchange(state.wasStopped, false)) info.flags |= kGuestStopped;
  if (rewriting == Rewriting::always || !page.holds(info)) page.write(info);
}

void writeSystemTimeMsr(Cpu& cpu, std::uint64_t value) {
  cpu.system.kvmClock.systemTime = value;
  invalidateKvmClock(cpu);
  if (cpu.system.kvmClock.isEnabled()) writeKvmClock(cpu, Rewriting::always);
}

void writeWallClockMsr(Cpu& cpu, std::uint64_t value) {
  constexpr std::uint64_t kNsPerSecond = 1'000'000'000;
  cpu.system.kvmClock.wallClock = value;
  const GuestClock& clock = cpu.around.clock;
  Versioned page(cpu, value, sizeof(std::uint32_t) + sizeof(BootTime));
  if (value == 0 || !page.isSomewhere()) return;
  const std::uint64_t bootNs = clock.realtimeNs() - clock.guestNs();
  page.write(BootTime{.seconds = static_cast<std::uint32_t>(bootNs / kNsPerSecond),
                      .nanoseconds = static_cast<std::uint32_t>(bootNs % kNsPerSecond)});
}

void markClockResumed(Cpu& cpu) {
  if (!cpu.system.kvmClock.isEnabled() || cpu.around.clock.kind() == SoftClock::instructions) return;
  cpu.system.kvmClock.wasStopped = true;
  invalidateKvmClock(cpu);
}

}  // namespace qm::soft
