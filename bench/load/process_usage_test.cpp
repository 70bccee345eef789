#include "bench/load/process_usage.h"

#include <unistd.h>

#include <algorithm>

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

using std::chrono::milliseconds;

TEST(ProcessUsage, StatIsReadAfterANameThatHoldsParentheses) {
  const auto usage = readProcessStat("42 (a) b (c) S 7 42 42 0 -1 4194560 1000 2000 0 0 50 25 3 4 20 0 1 0 99 1 1");
  ASSERT_TRUE(usage.has_value());
  EXPECT_EQ(usage->parent, 7);
  EXPECT_EQ(usage->own, (Usage{.user = milliseconds(500), .system = milliseconds(250), .minorFaults = 1000}));
  EXPECT_EQ(usage->ended, (Usage{.user = milliseconds(30), .system = milliseconds(40), .minorFaults = 2000}));
}

TEST(ProcessUsage, WhatIsNoStatIsAnError) {
  EXPECT_FALSE(readProcessStat("").has_value());
  EXPECT_FALSE(readProcessStat("42 (a)").has_value());
}

TEST(ProcessUsage, AMachineIsBusyWithAllButIdlingWaitingAndWhatOthersHad) {
  EXPECT_EQ(readMachineBusy("cpu  100 20 30 4000 500 6 7 800 0 0\ncpu0 1 1").value(), milliseconds(1630));
  EXPECT_FALSE(readMachineBusy("intr 5").has_value());
}

TEST(ProcessUsage, WhatVanishedCountsAsNothing) {
  const Usage earlier{.user = milliseconds(50), .system = milliseconds(10), .minorFaults = 9};
  const Usage later{.user = milliseconds(40), .system = milliseconds(30), .minorFaults = 5};
  EXPECT_EQ(later.since(earlier), (Usage{.user = milliseconds(0), .system = milliseconds(20), .minorFaults = 0}));
}

TEST(ProcessUsage, ThisProcessDescendsFromItsParentAndNotFromItself) {
  const auto ours = descendantsOf(::getppid());
  const auto below = descendantsOf(::getpid());
  EXPECT_EQ(std::ranges::count(ours, ::getpid()), 1);
  EXPECT_EQ(std::ranges::count(below, ::getpid()), 0);
}

}  // namespace
}  // namespace qm::bench
