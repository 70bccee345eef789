#include "bench/load/rate_search.h"

#include <vector>

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

TEST(RateSearch, EndsWithinAStepBelowTheHighest) {
  for (const double highest : {7.0, 99.0, 100.0, 231.0, 399.0}) {
    const double found = highestRate({}, [&](double rate) -> Result<bool> { return rate <= highest; }).value();
    EXPECT_LE(found, highest);
    EXPECT_GE(found, highest - RateSearch{}.step);
  }
}

TEST(RateSearch, GoesNoHigherThanItMay) {
  double highestTried = 0;
  const double found = highestRate({.from = 10, .most = 50, .step = 1}, [&](double rate) -> Result<bool> {
                         highestTried = std::max(highestTried, rate);
                         return true;
                       }).value();
  EXPECT_EQ(found, 50);
  EXPECT_EQ(highestTried, 50);
}

TEST(RateSearch, OfWhatHoldsNothingIsZero) {
  std::vector<double> tried;
  const double found = highestRate({.from = 8, .most = 100, .step = 1}, [&](double rate) -> Result<bool> {
                         tried.push_back(rate);
                         return false;
                       }).value();
  EXPECT_EQ(found, 0);
  EXPECT_EQ(tried, (std::vector<double>{8, 4, 2, 1}));
}

TEST(RateSearch, EndsWithTheErrorOfATry) {
  const auto fails = [](double) -> Result<bool> { return Error(Remedy::giveUp, "gone"); };
  EXPECT_EQ(highestRate({}, fails).error().text(), "gone");
}

}  // namespace
}  // namespace qm::bench
