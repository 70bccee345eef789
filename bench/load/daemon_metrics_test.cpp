#include "bench/load/daemon_metrics.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

constexpr std::string_view kMetrics = R"(# HELP quickmatch_phase_seconds Phases
# TYPE quickmatch_phase_seconds histogram
quickmatch_phase_seconds_count{phase="spawn",road="refill"} 4
quickmatch_phase_seconds_sum{phase="spawn",road="refill"} 0.5
quickmatch_phase_seconds_bucket{phase="spawn",road="refill",le="0.1"} 1
quickmatch_phase_seconds_sum{phase="take",road="ready"} 2e-05
quickmatch_phase_seconds_count{phase="take",road="ready"} 10
quickmatch_teardown_seconds_sum 0.25
quickmatch_teardown_seconds_count 5
quickmatch_template_build_seconds_sum 9
quickmatch_blanks 1)";

TEST(DaemonMetrics, SumsAndCountsAreReadByRoadAndPhase) {
  const DaemonTimes expected{{"ready.take", {2e-05, 10}}, {"refill.spawn", {0.5, 4}}, {"teardown", {0.25, 5}}};
  EXPECT_EQ(readDaemonTimes(kMetrics), expected);
}

TEST(DaemonMetrics, TheLastLineNeedsNoEnd) {
  EXPECT_EQ(readDaemonTimes("quickmatch_teardown_seconds_count 5"), (DaemonTimes{{"teardown", {0, 5}}}));
  EXPECT_TRUE(readDaemonTimes("").empty());
}

TEST(DaemonMetrics, WhatCameBetweenIsTheDifferenceAndOnlyWhatCame) {
  const DaemonTimes earlier{{"refill.spawn", {0.5, 4}}, {"teardown", {0.25, 5}}};
  const DaemonTimes later{{"refill.spawn", {1.5, 6}}, {"refill.renew", {0.5, 1}}, {"teardown", {0.25, 5}}};
  EXPECT_EQ(between(earlier, later), (DaemonTimes{{"refill.renew", {0.5, 1}}, {"refill.spawn", {1, 2}}}));
}

TEST(DaemonMetrics, MeansOfWorkBehindRequestsAreTold) {
  boost::json::object flat;
  addFlat(readDaemonTimes(kMetrics), "reply_", flat);
  EXPECT_EQ(flat.at("reply_refill_spawn_mean_ms").to_number<double>(), 125);
  EXPECT_EQ(flat.at("reply_teardown_mean_ms").to_number<double>(), 50);
  EXPECT_EQ(flat.size(), 2U);
}

}  // namespace
}  // namespace qm::bench
