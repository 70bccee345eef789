#include "bench/contender/tsc_rate.h"

#include <x86intrin.h>

#include <chrono>
#include <thread>

#include "bench/start/clock.h"

namespace qm::bench {

std::uint64_t measureTscKhz() {
  const Clock::time_point start = Clock::now();
  const std::uint64_t first = __rdtsc();
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  const std::uint64_t ticks = __rdtsc() - first;
  const auto microseconds = std::chrono::duration_cast<std::chrono::microseconds>(Clock::now() - start).count();
  return ticks * 1000 / static_cast<std::uint64_t>(microseconds);
}

}  // namespace qm::bench
