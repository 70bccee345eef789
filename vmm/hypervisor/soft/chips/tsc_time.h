// TSC ticks to nanoseconds and back, without overflow and without loss: the product has more than 64 bits.
#pragma once

#include <algorithm>
#include <cstdint>
#include <limits>

namespace qm::soft {

using Wide = unsigned __int128;

inline constexpr std::uint32_t kNsPerMs = 1'000'000;

// value * factor / divisor, rounded up or down; the largest number where it has more than 64 bits.
inline std::uint64_t scaleDown(std::uint64_t value, std::uint64_t factor, std::uint64_t divisor) {
  const Wide result = Wide{value} * factor / divisor;
  return static_cast<std::uint64_t>(std::min<Wide>(result, std::numeric_limits<std::uint64_t>::max()));
}
inline std::uint64_t scaleUp(std::uint64_t value, std::uint64_t factor, std::uint64_t divisor) {
  const Wide result = (Wide{value} * factor + (divisor - 1)) / divisor;
  return static_cast<std::uint64_t>(std::min<Wide>(result, std::numeric_limits<std::uint64_t>::max()));
}

inline std::uint64_t addSaturated(std::uint64_t a, std::uint64_t b) {
  const std::uint64_t sum = a + b;
  return sum < a ? std::numeric_limits<std::uint64_t>::max() : sum;
}

}  // namespace qm::soft
