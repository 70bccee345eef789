#include "bench/cold_warm/interval.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

std::vector<double> upTo(int count) {
  std::vector<double> samples;
  for (int i = count; i >= 1; --i) samples.push_back(i);
  return samples;
}

TEST(Interval, AMediansIsBetweenRanksOfTheBinomial) {
  // Below 2 of 10 are 1.1 %, below 3 5.5 %; below 6 of 20 2.1 %, below 7 5.8 %; below 18 of 50 1.6 %, below 19 3.2 %.
  EXPECT_EQ(medianInterval(upTo(10)), (Interval{.low = 2, .high = 9}));
  EXPECT_EQ(medianInterval(upTo(20)), (Interval{.low = 6, .high = 15}));
  EXPECT_EQ(medianInterval(upTo(50)), (Interval{.low = 18, .high = 33}));
}

TEST(Interval, OfSixSamplesItIsAllOfThemAndOfFewerThereIsNone) {
  EXPECT_EQ(medianInterval(upTo(6)), (Interval{.low = 1, .high = 6}));
  EXPECT_EQ(medianInterval(upTo(5)), std::nullopt);
  EXPECT_EQ(medianInterval({}), std::nullopt);
}

TEST(Interval, ThousandsOfSamplesHaveOne) {
  // Normal approximation: 5000 / 2 ± 1.96 · √5000 / 2.
  const Interval interval = medianInterval(upTo(5000)).value();
  EXPECT_NEAR(interval.low, 2431, 2);
  EXPECT_NEAR(interval.high, 2570, 2);
}

TEST(Interval, ARatioOfWhatIsAlwaysTwiceAsLongIsTwo) {
  const std::vector<double> below{3, 900, 1, 20, 7, 11};
  std::vector<double> above;
  for (const double sample : below) above.push_back(2 * sample);
  EXPECT_EQ(ratioInterval(above, below), (Interval{.low = 2, .high = 2}));
}

TEST(Interval, ARatiosSpreadIsThatOfItsSamples) {
  const Interval interval = ratioInterval({10, 20, 30, 40, 50, 60, 70}, {10, 10, 10, 10, 10, 10, 10});
  EXPECT_GE(interval.low, 1);
  EXPECT_LT(interval.low, 4);
  EXPECT_GT(interval.high, 4);
  EXPECT_LE(interval.high, 7);
}

TEST(Interval, AMedianIsTheLowerOfTwoInTheMiddle) {
  EXPECT_EQ(median({4, 1, 3, 2}), 2);
  EXPECT_EQ(median({5, 1, 3}), 3);
}

}  // namespace
}  // namespace qm::bench
