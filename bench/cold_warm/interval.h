// What a median, or the ratio of two, may be besides what was measured: intervals that hold the true one in at least
// (about, by the bootstrap) 95 of 100 such measurements. Values.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

namespace qm::bench {

struct Interval {
  double low = 0, high = 0;
  bool operator==(const Interval&) const = default;
};

// Of the median, by order statistics: the samples of ranks k and N + 1 - k, k being the largest for which a binomial of
// N tries at 1/2 is below k with a probability of at most 2.5 %. Assumes nothing of the distribution but that samples
// are independent of each other. None of fewer than six samples: not even the smallest and the largest do.
std::optional<Interval> medianInterval(std::vector<double> samples);

// Of the ratio of the medians, `above` by `below`, by the percentile bootstrap: rounds, of which each has a sample of
// both, are drawn again with replacement, as often as there are; the 2.5th and 97.5th percentile of the ratios. A slow
// spell of the host falls on both samples of a round, and so largely out of the ratio. The same samples give the same
// interval. Both of the same size, at least 1, and above 0.
Interval ratioInterval(const std::vector<double>& above, const std::vector<double>& below);

// By nearest rank, as Figure::percentile(50). Not of none.
double median(std::vector<double> samples);

}  // namespace qm::bench
