#include "bench/load/schedule.h"

#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

TEST(Schedule, FixedArrivalsAreEvenlySpacedAndEndBeforeTheDuration) {
  const auto starts = schedule({.pattern = Pattern::fixed, .ratePerS = 4, .duration = seconds(1)});
  const std::vector<nanoseconds> expected{milliseconds(0), milliseconds(250), milliseconds(500), milliseconds(750)};
  EXPECT_EQ(starts, expected);
}

TEST(Schedule, BurstsAreTogetherAndKeepTheRateInTheMean) {
  const auto starts = schedule({.pattern = Pattern::burst, .ratePerS = 6, .burst = 3, .duration = seconds(1)});
  const std::vector<nanoseconds> expected{milliseconds(0),   milliseconds(0),   milliseconds(0),
                                          milliseconds(500), milliseconds(500), milliseconds(500)};
  EXPECT_EQ(starts, expected);
}

TEST(Schedule, PoissonArrivalsAreTheSameForASeedAndOthersForAnother) {
  const Arrivals one{.pattern = Pattern::poisson, .ratePerS = 100, .seed = 7, .duration = seconds(5)};
  Arrivals other = one;
  other.seed = 8;
  EXPECT_EQ(schedule(one), schedule(one));
  EXPECT_NE(schedule(one), schedule(other));
}

TEST(Schedule, GapsOfPoissonArrivalsAreAsOftenBelowTheMeanAsAnExponentialDistributionsAre) {
  const auto starts = schedule({.pattern = Pattern::poisson, .ratePerS = 1000, .seed = 3, .duration = seconds(100)});
  ASSERT_TRUE(std::ranges::is_sorted(starts));
  // 100,000 expected; a standard deviation is 316.
  EXPECT_NEAR(static_cast<double>(starts.size()), 100'000, 1600);
  std::size_t below = 0;
  for (std::size_t i = 1; i < starts.size(); ++i) below += starts[i] - starts[i - 1] < milliseconds(1) ? 1U : 0U;
  EXPECT_NEAR(static_cast<double>(below) / static_cast<double>(starts.size()), 1 - std::exp(-1), 0.01);
}

TEST(Schedule, AClosedLoopHasNone) {
  EXPECT_TRUE(schedule({.pattern = Pattern::closed, .duration = seconds(1)}).empty());
}

TEST(Schedule, WhatMakesNoSenseIsRefused) {
  EXPECT_FALSE(check({.ratePerS = 0, .duration = seconds(1)}).has_value());
  EXPECT_FALSE(check({.ratePerS = 150, .duration = seconds(0)}).has_value());
  EXPECT_FALSE(check({.pattern = Pattern::burst, .burst = 0, .duration = seconds(1)}).has_value());
  EXPECT_FALSE(check({.ratePerS = 1e9, .duration = seconds(3600)}).has_value());
  EXPECT_TRUE(check({.ratePerS = 150, .duration = seconds(60)}).has_value());
}

TEST(Schedule, PatternsAreKnownByTheirNames) {
  for (const Pattern pattern : {Pattern::poisson, Pattern::fixed, Pattern::burst, Pattern::closed})
    EXPECT_EQ(patternNamed(name(pattern)), pattern);
  EXPECT_EQ(patternNamed("often"), std::nullopt);
}

}  // namespace
}  // namespace qm::bench
