#include "bench/load/latency_histogram.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

using std::chrono::nanoseconds;

TEST(LatencyHistogram, WithoutSamplesEverythingIsZero) {
  EXPECT_EQ(LatencyHistogram().quantile(0.99), nanoseconds(0));
  EXPECT_TRUE(LatencyHistogram().steps().empty());
}

TEST(LatencyHistogram, QuantilesOfSmallValuesAreExact) {
  LatencyHistogram histogram;
  for (int value = 1; value <= 100; ++value) histogram.add(nanoseconds(value));
  EXPECT_EQ(histogram.quantile(0.5), nanoseconds(50));
  EXPECT_EQ(histogram.quantile(0.99), nanoseconds(99));
  EXPECT_EQ(histogram.quantile(0), nanoseconds(1));
  EXPECT_EQ(histogram.quantile(1), nanoseconds(100));
}

TEST(LatencyHistogram, ABucketIsNeverWiderThanAThousandthAndNeverTellsLess) {
  // Around powers of two, where buckets change their width, up to 38 hours.
  for (std::int64_t power = 1; power < (1LL << 47U); power *= 2) {
    for (const std::int64_t value : {power - 1, power, power + 1, power + power / 3}) {
      LatencyHistogram histogram;
      histogram.add(nanoseconds(value));
      histogram.add(nanoseconds(value * 4 + 4));  // so that the maximum does not cut the first one's bucket
      const std::int64_t told = histogram.quantile(0.5).count();
      EXPECT_GE(told, value);
      EXPECT_LE(static_cast<double>(told - value), static_cast<double>(value) / 1000) << value;
    }
  }
}

TEST(LatencyHistogram, TheMaximumIsExactAndBoundsEveryQuantile) {
  LatencyHistogram histogram;
  histogram.add(nanoseconds(1'234'567'891));
  EXPECT_EQ(histogram.max(), nanoseconds(1'234'567'891));
  EXPECT_EQ(histogram.quantile(0.999), nanoseconds(1'234'567'891));
}

TEST(LatencyHistogram, TwoAddedAreAsOneThatTookAll) {
  LatencyHistogram one, other, all;
  for (int value = 0; value < 5000; value += 7) {
    const nanoseconds sample(value * 1000);
    (value % 2 == 0 ? one : other).add(sample);
    all.add(sample);
  }
  one.add(other);
  EXPECT_EQ(one, all);
}

TEST(LatencyHistogram, StepsRiseToTheCount) {
  LatencyHistogram histogram;
  for (const int value : {5, 9, 5}) histogram.add(nanoseconds(value));
  const std::vector<LatencyHistogram::Step> expected{{nanoseconds(5), 2}, {nanoseconds(9), 3}};
  EXPECT_EQ(histogram.steps(), expected);
}

TEST(LatencyHistogram, ATimeBelowZeroCountsAsNone) {
  LatencyHistogram histogram;
  histogram.add(nanoseconds(-5));
  EXPECT_EQ(histogram.count(), 1U);
  EXPECT_EQ(histogram.max(), nanoseconds(0));
}

}  // namespace
}  // namespace qm::bench
