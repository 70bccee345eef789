#include "bench/load/svg_plot.h"

#include <gtest/gtest.h>

namespace qm::bench {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(SvgPlot, PointsStandBetweenTheAxes) {
  const Plot plot{.title = "a", .x = "s", .y = "ms", .curves = {{"c", {{0, 0}, {10, 5}}}}};
  // The corners of the page's drawing: left below, right above.
  EXPECT_NE(plot.svg().find("points='70.0,400.0 790.0,40.0 '"), std::string::npos) << plot.svg();
}

TEST(SvgPlot, OnALogarithmicAxisZeroHasNoPlace) {
  const Plot plot{
      .title = "a", .x = "s", .y = "ms", .xScale = Scale::logarithmic, .curves = {{"c", {{0, 1}, {1, 0}, {100, 1}}}}};
  EXPECT_NE(plot.svg().find("points='70.0,400.0 790.0,40.0 '"), std::string::npos) << plot.svg();
}

TEST(SvgPlot, WithoutPointsIsStillADocument) {
  const std::string text =
      Plot{.title = "a < b & c", .x = "", .y = "", .yScale = Scale::logarithmic, .curves = {}}.svg();
  EXPECT_NE(text.find("a &lt; b &amp; c"), std::string::npos);
  EXPECT_EQ(text.find("nan"), std::string::npos);
  EXPECT_EQ(text.find("inf"), std::string::npos);
}

TEST(SvgPlot, ASecondWithAFailureShowsThePatience) {
  const Plot plot = latencyOverTime({{.scheduled = milliseconds(1500), .failure = "x"}}, seconds(10));
  EXPECT_EQ(plot.curves.at(2).points.at(0), (std::pair<double, double>(1, 10'000)));
}

TEST(SvgPlot, ADistributionEndsAtAll) {
  LatencyHistogram histogram;
  histogram.add(milliseconds(1));
  histogram.add(milliseconds(4));
  const Plot plot = latencyDistribution({{"ready", histogram}});
  EXPECT_EQ(plot.curves.at(0).points.back(), (std::pair<double, double>(4, 100)));
}

}  // namespace
}  // namespace qm::bench
