#include "bench/load/latency_histogram.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace qm::bench {

namespace {

// A value's highest bits: 2^11 below the first octave, 2^10 in each that follows.
constexpr unsigned kBits = 11;
constexpr std::uint64_t kLinear = 1ULL << kBits;
constexpr std::uint64_t kHalf = kLinear / 2;

std::size_t bucketOf(std::uint64_t value) {
  if (value < kLinear) return static_cast<std::size_t>(value);
  const unsigned shift = static_cast<unsigned>(std::bit_width(value)) - kBits;
  return static_cast<std::size_t>((value >> shift) + shift * kHalf);
}

std::uint64_t greatestIn(std::size_t bucket) {
  if (bucket < kLinear) return bucket;
  const auto shift = static_cast<unsigned>(bucket / kHalf - 1);
  const std::uint64_t top = bucket - shift * kHalf;
  return ((top + 1) << shift) - 1;
}

LatencyHistogram::Nanoseconds durationOf(std::uint64_t value) {
  return LatencyHistogram::Nanoseconds(static_cast<LatencyHistogram::Nanoseconds::rep>(value));
}

}  // namespace

void LatencyHistogram::add(Nanoseconds sample) {
  const Nanoseconds counted = std::max(sample, Nanoseconds::zero());
  const std::size_t bucket = bucketOf(static_cast<std::uint64_t>(counted.count()));
  if (bucket >= buckets_.size()) buckets_.resize(bucket + 1);
  ++buckets_[bucket];
  ++count_;
  max_ = std::max(max_, counted);
}

void LatencyHistogram::add(const LatencyHistogram& other) {
  buckets_.resize(std::max(buckets_.size(), other.buckets_.size()));
  for (std::size_t bucket = 0; bucket < other.buckets_.size(); ++bucket) buckets_[bucket] += other.buckets_[bucket];
  count_ += other.count_;
  max_ = std::max(max_, other.max_);
}

LatencyHistogram::Nanoseconds LatencyHistogram::quantile(double fraction) const {
  if (count_ == 0) return {};
  const auto rank = static_cast<std::uint64_t>(std::ceil(fraction * static_cast<double>(count_)));
  const std::uint64_t wanted = std::clamp<std::uint64_t>(rank, 1, count_);
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    seen += buckets_[bucket];
    if (seen >= wanted) return std::min(durationOf(greatestIn(bucket)), max_);
  }
  return max_;
}

std::vector<LatencyHistogram::Step> LatencyHistogram::steps() const {
  std::vector<Step> steps;
  std::uint64_t seen = 0;
  for (std::size_t bucket = 0; bucket < buckets_.size(); ++bucket) {
    if (buckets_[bucket] == 0) continue;
    seen += buckets_[bucket];
    steps.push_back({.atMost = std::min(durationOf(greatestIn(bucket)), max_), .count = seen});
  }
  return steps;
}

}  // namespace qm::bench
