// The benchmark's one clock, and how long it waits for anything at all.
#pragma once

#include <chrono>

namespace qm::bench {

using Clock = std::chrono::steady_clock;

// A guest that has not answered by then never will, even in the lab.
inline constexpr std::chrono::seconds kPatience{60};

inline Clock::time_point deadline() {
  return Clock::now() + kPatience;
}

}  // namespace qm::bench
