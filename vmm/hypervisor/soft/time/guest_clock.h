// A guest's time. One clock a VM: *ticks*, which run at the frequency that the guest was told from the VM's beginning
// on; a vCPU's TSC is that plus an offset of its own (cpu.system.tscOffset), kvmclock's nanoseconds are counted from
// them with the same arithmetic as the guest's.
//
// By SoftClock::host, ticks follow the host's counter, scaled where the frequencies differ. By SoftClock::instructions,
// each instruction is a nanosecond, a halted processor skips to its deadline, and the wall clock begins at a constant.
//
// Threads: what is const, any; what is not, while no vCPU runs.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <optional>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/host/host_counter.h"
#include "vmm/hypervisor/soft/settings/soft_settings.h"
#include "vmm/hypervisor/state.h"

namespace qm::soft {

// Nanoseconds are (ticks << shift) * multiplier >> 32, with a right shift where it is negative: pvclock's arithmetic.
struct TickScale {
  std::uint32_t multiplier = 0;
  std::int8_t shift = 0;
  bool operator==(const TickScale&) const = default;
};
TickScale tickScaleOf(std::uint32_t khz);  // not 0
std::uint64_t nanosecondsOf(std::uint64_t ticks, TickScale scale);

class GuestClock {
 public:
  // The guest's frequency is the host's until setTscKhz().
  GuestClock(SoftClock kind, HostCounter host);

  SoftClock kind() const { return kind_; }
  std::uint32_t tscKhz() const { return tscKhz_; }
  // Of a snapshot, before its vCPUs are loaded; 0 means that it is not known: ignored.
  void setTscKhz(std::uint32_t tscKhz);

  // By instructions: as of the last readTsc().
  std::uint64_t ticks() const { return ticksAt(kind_ == SoftClock::host ? readCounter(host_.source) : lastCount()); }
  // kvmclock: time since the guest booted.
  std::uint64_t guestNs() const;
  // Of the host, since 1970; a constant plus guestNs() by instructions.
  std::uint64_t realtimeNs() const;
  Clock save() const;
  // Guest time goes on from where it stood. The wall clock is renewal's matter. Answers how many ticks the counter was
  // moved by: by instructions, ticks and nanoseconds are the same from the guest's boot on, also in what was restored,
  // and the vCPUs' offsets to them are less by as much.
  std::uint64_t load(const Clock& clock);
  // By instructions; see InstructionClock.
  void setAlarm(std::optional<std::uint64_t> guestNs) { alarmNs_ = guestNs; }

  // Where kvmclock counts from: at `ticks`, guestNs() was `guestNs`.
  struct Origin {
    std::uint64_t ticks = 0, guestNs = 0;
  };
  Origin origin() const { return origin_; }
  TickScale scale() const { return scale_; }
  // Another number each time that origin or scale have changed; never 0.
  std::uint32_t generation() const { return generation_; }

  // The offset of a vCPU whose TSC a snapshot or its user sets to `tsc` at this moment. vCPUs that are set within a
  // second of the boot processor's, by their own values, are meant to agree with it, and do. The boot processor's is
  // set first.
  std::uint64_t offsetFor(std::uint32_t index, std::uint64_t tsc);
  // That of the vCPUs which agree.
  std::uint64_t sharedOffset() const { return sharedOffset_.value_or(0); }

 private:
  friend std::uint64_t readTsc(Cpu& cpu);
  friend void skipTo(Cpu& cpu, std::uint64_t tsc);
  friend std::uint64_t instructionsUntil(Cpu& cpu, std::uint64_t tsc);
  friend std::optional<std::uint64_t> alarmTsc(Cpu& cpu);
  friend bool takeAlarm(Cpu& cpu);

  std::uint64_t ticksAt(std::uint64_t counter) const {
    const std::uint64_t since = counter - counterOrigin_;
    if (ratio_ == 0) return since;
    return static_cast<std::uint64_t>(static_cast<unsigned __int128>(since) * ratio_ >> kRatioBits);
  }
  void noteChange();
  std::uint64_t lastCount() const { return lastCount_.load(std::memory_order_relaxed); }

  static constexpr unsigned kRatioBits = 48;
  SoftClock kind_;
  HostCounter host_;
  std::uint32_t tscKhz_;
  std::uint64_t ratio_ = 0;  // guest's frequency by the host's, with kRatioBits of fraction; 0: 1
  TickScale scale_;
  std::uint64_t counterOrigin_ = 0;
  Origin origin_;
  std::uint32_t generation_ = 1;
  std::optional<std::uint64_t> sharedOffset_;
  // By instructions: those that were skipped, and what the processor has counted last.
  std::uint64_t skipped_ = 0;
  std::atomic<std::uint64_t> lastCount_ = 0;
  std::optional<std::uint64_t> alarmNs_;
};

// The vCPU's TSC at this moment. Its own thread, or any while it does not run. By instructions, what counts is the
// instruction under way in a `system` operation, and the last such one in others.
std::uint64_t readTsc(Cpu& cpu);

// The host's time at which the vCPU's TSC will be `tsc`, at most a day from now; by SoftClock::host.
std::chrono::steady_clock::time_point steadyTimeOf(Cpu& cpu, std::uint64_t tsc);
// By SoftClock::instructions: a halted processor's TSC is `tsc` from here on, if it was less.
void skipTo(Cpu& cpu, std::uint64_t tsc);
// By SoftClock::instructions: how many more instructions it takes until the vCPU's TSC is `tsc`, never too many; 0: it
// is that already.
std::uint64_t instructionsUntil(Cpu& cpu, std::uint64_t tsc);
// By SoftClock::instructions: the vCPU's TSC at the moment of the alarm, or at this one if it is over; nothing: there
// is no alarm.
std::optional<std::uint64_t> alarmTsc(Cpu& cpu);
// Whether the moment has come, of which one is told once.
bool takeAlarm(Cpu& cpu);
// The vCPU's timer may run out at another moment than it was going to. By SoftClock::instructions the loop looks anew
// how far it may run.
void timerChanged(Cpu& cpu);

}  // namespace qm::soft
