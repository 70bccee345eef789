// How long to leave alone what keeps failing.
#pragma once

#include <algorithm>
#include <chrono>
#include <cstdint>

#include "pool/clock/clock.h"

namespace qm::pool {

// A value: the first failure may be followed by a try at once, each further one by a pause twice as long.
class Backoff {
 public:
  void failed(TimePoint now) {
    if (failures_ > 0) until_ = now + std::min<std::chrono::milliseconds>(kLongest, kFirst * (1U << (failures_ - 1)));
    failures_ = std::min(failures_ + 1, kMostDoublings);
  }
  void worked() { *this = Backoff(); }
  TimePoint until() const { return until_; }

 private:
  static constexpr std::chrono::milliseconds kFirst{250};
  static constexpr std::chrono::milliseconds kLongest{60'000};
  static constexpr std::uint32_t kMostDoublings = 16;
  std::uint32_t failures_ = 0;
  TimePoint until_ = TimePoint::min();
};

}  // namespace qm::pool
