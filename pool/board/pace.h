// How fast clones are made, and from that how long a place in the line is waited for.
#pragma once

#include <chrono>
#include <cstdint>

namespace qm::pool {

// A value. The mean of what the last clones took, the later ones weighing more: after a change eight clones bring it
// two thirds of the way. It holds what a clone takes while everything else runs beside it, which is what counts.
class Pace {
 public:
  using Microseconds = std::chrono::microseconds;

  // Also of one that failed: its maker was as busy.
  void took(Microseconds one) {
    mean_ = isKnown_ ? mean_ + (one - mean_) / kWeight : one;
    isKnown_ = true;
  }
  Microseconds mean() const { return mean_; }

  // Until a clone is there for who stands behind `ahead` others, when `makers` (above 0) make them in rounds. 0 as long
  // as none was made.
  Microseconds until(std::uint32_t ahead, std::uint32_t makers) const {
    return mean_ * (std::int64_t{ahead} / makers + 1);
  }

 private:
  static constexpr int kWeight = 8;
  Microseconds mean_{};
  bool isKnown_ = false;
};

}  // namespace qm::pool
