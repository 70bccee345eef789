// When requests are to leave, computed before the first one does: an answer that is slow delays nobody else's start.
// Values.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "vmm/result/result.h"

namespace qm::bench {

enum class Pattern : std::uint8_t {
  poisson,  // independent of each other: gaps are exponentially distributed
  fixed,    // evenly spaced
  burst,    // `burst` at the same moment, bursts evenly spaced so that the rate holds in the mean
  closed,   // `clients`, each of which asks again once it is done; there is no schedule
};
std::string_view name(Pattern pattern);
std::optional<Pattern> patternNamed(std::string_view text);

struct Arrivals {
  Pattern pattern = Pattern::poisson;
  double ratePerS = 150;      // above 0; not of closed
  std::uint32_t burst = 100;  // at least 1
  std::uint32_t clients = 4;  // at least 1
  std::uint64_t seed = 1;     // the same seed is the same schedule, on every machine
  std::chrono::nanoseconds duration{};
};
// Whether it makes sense, and is no more than can be held in memory.
Status check(const Arrivals& arrivals);

// Offsets from the start, ascending, all below `duration`; none for closed.
std::vector<std::chrono::nanoseconds> schedule(const Arrivals& arrivals);

}  // namespace qm::bench
