#include "bench/load/load_summary.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr Window kWindow{.warmUp = seconds(1), .end = seconds(3), .patience = seconds(10)};

RequestRecord answered(milliseconds scheduled, milliseconds sent, milliseconds took) {
  return {.scheduled = scheduled,
          .sent = sent,
          .granted = sent + took / 2,
          .answered = sent + took,
          .released = sent + took + milliseconds(1),
          .road = pool::Road::ready,
          .phases = {{"take", 5}},
          .guestNonce = "aa"};
}

TEST(LoadSummary, LatencyCountsFromTheTimeAtWhichARequestShouldHaveLeft) {
  const LoadRun run{.records = {answered(milliseconds(1500), milliseconds(1700), milliseconds(20))}};
  const LoadSummary summary = summarise(run, kWindow);
  EXPECT_EQ(summary.answer.max(), milliseconds(220));
  EXPECT_EQ(summary.whole.max(), milliseconds(221));
  EXPECT_EQ(summary.lateness.max(), milliseconds(200));
  EXPECT_EQ(summary.acquireToAnswer.max(), milliseconds(20));
  EXPECT_EQ(summary.acquire.max(), milliseconds(10));
}

TEST(LoadSummary, WhatFailedIsCountedWithTheWholePatience) {
  RequestRecord refused{.scheduled = milliseconds(1100), .sent = milliseconds(1100), .failure = "acquire: 503"};
  const LoadRun run{.records = {refused, answered(milliseconds(1200), milliseconds(1200), milliseconds(2))}};
  const LoadSummary summary = summarise(run, kWindow);
  EXPECT_EQ(summary.requests, 2U);
  EXPECT_EQ(summary.succeeded, 1U);
  EXPECT_EQ(summary.failures.at("acquire: 503"), 1U);
  EXPECT_EQ(summary.answer.count(), 2U);
  EXPECT_EQ(summary.answer.max(), seconds(10));
}

TEST(LoadSummary, AnAnswerWhoseReleaseFailedIsAnAnswerButNoSuccess) {
  RequestRecord kept = answered(milliseconds(1200), milliseconds(1200), milliseconds(2));
  kept.released.reset();
  kept.failure = "release: 500";
  const LoadSummary summary = summarise({.records = {kept}}, kWindow);
  EXPECT_EQ(summary.answer.max(), milliseconds(2));
  EXPECT_EQ(summary.whole.max(), seconds(10));
  EXPECT_EQ(summary.successRatio(), 0);
}

TEST(LoadSummary, TheWarmUpDoesNotCount) {
  const LoadRun run{.records = {answered(milliseconds(999), milliseconds(999), milliseconds(500)),
                                answered(milliseconds(1000), milliseconds(1000), milliseconds(4))}};
  const LoadSummary summary = summarise(run, kWindow);
  EXPECT_EQ(summary.requests, 1U);
  EXPECT_EQ(summary.answer.max(), milliseconds(4));
  EXPECT_EQ(summary.ratePerS(), 0.5);
}

TEST(LoadSummary, FiguresAreKeyedByRoadAndPhase) {
  const LoadRun run{.records = {answered(milliseconds(1500), milliseconds(1500), milliseconds(20))}};
  boost::json::object flat;
  addFlat(summarise(run, kWindow), "reply_", flat);
  EXPECT_EQ(flat.at("reply_p99_ms").to_number<double>(), 20);
  EXPECT_EQ(flat.at("reply_road_ready_requests").to_number<int>(), 1);
  EXPECT_EQ(flat.at("reply_phase_ready_take_p50_ms").to_number<double>(), 0.005);
  EXPECT_EQ(flat.at("reply_success_ratio").to_number<double>(), 1);
}

TEST(LoadSummary, RunsAddUp) {
  const LoadRun run{.records = {answered(milliseconds(1500), milliseconds(1500), milliseconds(20))},
                    .cpu = milliseconds(3)};
  LoadSummary sum = summarise(run, kWindow);
  sum.add(summarise(run, kWindow));
  EXPECT_EQ(sum.requests, 2U);
  EXPECT_EQ(sum.ratePerS(), 0.5);
  EXPECT_EQ(sum.answerByRoad.at("ready").count(), 2U);
  EXPECT_EQ(sum.generatorCpu, milliseconds(6));
}

}  // namespace
}  // namespace qm::bench
