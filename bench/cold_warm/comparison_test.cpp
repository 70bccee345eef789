#include "bench/cold_warm/comparison.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

Way way(const std::string& name, std::initializer_list<double> samples) {
  Way made{.name = name, .reply = Figure(Unit::milliseconds, "")};
  for (const double sample : samples) made.reply.add(sample);
  return made;
}

TEST(Comparison, FiguresHaveTheirUnitsAndIntervalsInTheirNames) {
  boost::json::object flat;
  addFlat({way("spawn", {6, 5, 4, 3, 2, 1}), way("boot", {})}, flat);
  EXPECT_EQ(flat.at("spawn_reply_ms_p50").as_double(), 3);
  EXPECT_EQ(flat.at("spawn_reply_ms_p99").as_double(), 6);
  EXPECT_EQ(flat.at("spawn_reply_ms_ci_low").as_double(), 1);
  EXPECT_EQ(flat.at("spawn_reply_ms_ci_high").as_double(), 6);
  EXPECT_EQ(flat.at("spawn_reply_n").as_uint64(), 6U);
  EXPECT_FALSE(flat.contains("boot_reply_n"));
}

TEST(Comparison, ARatioIsOfMediansAndStandsUnderBothNames) {
  boost::json::object flat;
  addRatios({way("boot", {90, 100, 900}), way("spawn", {9, 10, 90})}, {{"boot", "spawn"}}, flat);
  EXPECT_EQ(flat.at("boot_ratio_to_spawn").as_double(), 10);
  EXPECT_EQ(flat.at("boot_ratio_to_spawn_ci_low").as_double(), 10);
  EXPECT_EQ(flat.at("boot_ratio_to_spawn_ci_high").as_double(), 10);
}

TEST(Comparison, AWayThatWasNotMeasuredHasNoRatio) {
  boost::json::object flat;
  addRatios({way("boot", {90}), way("spawn", {})}, {{"boot", "spawn"}, {"boot", "blank"}}, flat);
  EXPECT_TRUE(flat.empty());
}

TEST(Comparison, AWayThatWasNotMeasuredHasNoRow) {
  const std::string text = table({way("spawn", {1}), way("boot", {})});
  EXPECT_NE(text.find("spawn"), std::string::npos);
  EXPECT_EQ(text.find("boot"), std::string::npos);
}

TEST(Comparison, NothingIsComparedWithItself) {
  EXPECT_EQ(allPairs({"boot", "qemu_boot"}, {"boot", "spawn"}),
            (Pairs{{"boot", "spawn"}, {"qemu_boot", "boot"}, {"qemu_boot", "spawn"}}));
}

TEST(Comparison, ThePlotHasACurveForEachWay) {
  const Plot plot = replyDistribution({way("spawn", {1, 2}), way("boot", {100, 200})});
  ASSERT_EQ(plot.curves.size(), 2U);
  EXPECT_EQ(plot.curves.at(1).name, "spawn");
  EXPECT_EQ(plot.curves.at(1).points.back().second, 100);
  EXPECT_EQ(plot.xScale, Scale::logarithmic);
}

}  // namespace
}  // namespace qm::bench
