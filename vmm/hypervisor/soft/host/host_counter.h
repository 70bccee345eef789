// The host's counter of time that guests' time stamp counters follow: its own TSC where that runs at one speed whatever
// the CPU does (CPUID 0x80000007, invariant TSC: SDM 3B, 17.17.1), else the kernel's monotonic clock.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vmm/result/result.h"

namespace qm::soft {

enum class CounterSource : std::uint8_t { tsc, monotonic };

// Any thread.
std::uint64_t readCounter(CounterSource source);

struct HostCounter {
  CounterSource source = CounterSource::tsc;
  std::uint32_t khz = 0;
  bool operator==(const HostCounter&) const = default;
};

// As an option of a program has it: tsc:KHZ, monotonic:1000000. fixInput for what no counter is.
std::string wordOf(const HostCounter& counter);
Result<HostCounter> hostCounterOf(std::string_view word);

// How fast the counter runs: as CPUID says (leaf 0x15, or a hypervisor's 0x40000010), or else measured against
// CLOCK_MONOTONIC_RAW between the construction and the answer. One thread. Made early and asked late it costs 40 us;
// asked at once it waits half a millisecond where CPUID does not say.
class HostCounterMeter {
 public:
  HostCounterMeter();
  // Within 200 ppm at the very worst where measured (a few were seen); the same at every call.
  HostCounter counter();

 private:
  // A moment by both clocks, and how far apart they may have been read.
  struct Moment {
    std::uint64_t ticks = 0, ns = 0, uncertaintyNs = 0;
  };
  static Moment now();

  HostCounter counter_;  // khz 0: not known yet
  Moment begin_;
};

}  // namespace qm::soft
