// Durations, counted in buckets whose width is at most a thousandth of what they hold (three significant digits), as
// HdrHistogram's are: linear within each power of two, powers of two from a microsecond on. A value.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace qm::bench {

class LatencyHistogram {
 public:
  using Nanoseconds = std::chrono::nanoseconds;

  // One below 0 counts as 0. Any duration has its bucket.
  void add(Nanoseconds sample);
  void add(const LatencyHistogram& other);

  std::uint64_t count() const { return count_; }
  // Exact, unlike the quantiles.
  Nanoseconds max() const { return max_; }
  // The greatest value of the bucket that holds the smallest sample that at least `fraction` (0 to 1) of all are not
  // above, at most max(): never below the true one. 0 without samples.
  Nanoseconds quantile(double fraction) const;

  // Steps of the distribution function: so many samples are not above this.
  struct Step {
    Nanoseconds atMost{};
    std::uint64_t count = 0;
    bool operator==(const Step&) const = default;
  };
  std::vector<Step> steps() const;

  bool operator==(const LatencyHistogram&) const = default;

 private:
  std::vector<std::uint64_t> buckets_;  // as many as have been needed; the last is above 0
  std::uint64_t count_ = 0;
  Nanoseconds max_{};
};

}  // namespace qm::bench
