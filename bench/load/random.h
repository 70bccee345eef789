// Numbers for schedules and resampling: the same seed gives the same ones everywhere (std::mt19937_64's output is laid
// down by the standard; its distributions' is not).
#pragma once

#include <cstdint>
#include <random>

namespace qm::bench {

class Random {
 public:
  explicit Random(std::uint64_t seed) : engine_(seed) {}

  // In [0, 1), in steps of 2^-53.
  double fraction() {
    constexpr unsigned kSpare = 11;  // 64 bits less a double's 53
    return static_cast<double>(engine_() >> kSpare) * 0x1p-53;
  }
  // In [0, count), count being far below 2^53.
  std::size_t below(std::size_t count) { return static_cast<std::size_t>(fraction() * static_cast<double>(count)); }

 private:
  std::mt19937_64 engine_;
};

}  // namespace qm::bench
