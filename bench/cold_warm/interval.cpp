#include "bench/cold_warm/interval.h"

#include <algorithm>
#include <cmath>
#include <cstddef>

#include "bench/load/random.h"
#include "vmm/result/check.h"

namespace qm::bench {

namespace {

constexpr double kTail = 0.025;  // on each side
constexpr std::size_t kResamples = 4000;
constexpr std::uint64_t kSeed = 1;

double at(const std::vector<double>& sorted, double fraction) {
  const auto rank = static_cast<std::size_t>(std::ceil(fraction * static_cast<double>(sorted.size())));
  return sorted[std::clamp<std::size_t>(rank, 1, sorted.size()) - 1];
}

}  // namespace

double median(std::vector<double> samples) {
  CHECK(!samples.empty());
  const auto middle = samples.begin() + static_cast<std::ptrdiff_t>((samples.size() + 1) / 2 - 1);
  std::ranges::nth_element(samples, middle);
  return *middle;
}

std::optional<Interval> medianInterval(std::vector<double> samples) {
  std::ranges::sort(samples);
  const auto count = static_cast<double>(samples.size());
  // The binomial's terms by their logarithms: 2^-N is 0 for some thousand samples.
  double logTerm = -count * std::log(2.0), sum = 0;
  std::size_t rank = 0;
  while (rank < samples.size()) {
    sum += std::exp(logTerm);
    if (sum > kTail) break;
    const auto done = static_cast<double>(rank);
    logTerm += std::log((count - done) / (done + 1));
    ++rank;
  }
  if (rank == 0) return std::nullopt;
  return Interval{.low = samples[rank - 1], .high = samples[samples.size() - rank]};
}

Interval ratioInterval(const std::vector<double>& above, const std::vector<double>& below) {
  CHECK(above.size() == below.size() && !above.empty());
  Random random(kSeed);
  std::vector<double> ratios;
  std::vector<double> ofAbove(above.size()), ofBelow(below.size());
  for (std::size_t resample = 0; resample < kResamples; ++resample) {
    for (std::size_t i = 0; i < above.size(); ++i) {
      const std::size_t round = random.below(above.size());
      ofAbove[i] = above[round];
      ofBelow[i] = below[round];
    }
    ratios.push_back(median(ofAbove) / median(ofBelow));
  }
  std::ranges::sort(ratios);
  return {.low = at(ratios, kTail), .high = at(ratios, 1 - kTail)};
}

}  // namespace qm::bench
