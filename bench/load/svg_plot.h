// Plots of a run as SVG (SVG 1.1), for a browser: what a table hides.
#pragma once

#include <chrono>
#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/load/latency_histogram.h"
#include "bench/load/request_record.h"
#include "vmm/result/result.h"

namespace qm::bench {

enum class Scale : std::uint8_t { linear, logarithmic };

struct Curve {
  std::string name;
  std::vector<std::pair<double, double>> points;  // in the order in which they are joined
};

struct Plot {
  std::string title, x, y;  // with their units
  Scale xScale = Scale::linear, yScale = Scale::linear;
  std::vector<Curve> curves;

  // A whole document. Points at or below 0 are left out on a logarithmic axis.
  std::string svg() const;
};

// Median, 99th percentile and maximum of each second's requests, by when they should have left; one without an answer
// counts as `patience`.
Plot latencyOverTime(const std::vector<RequestRecord>& records, std::chrono::nanoseconds patience);
// Which part of the requests had its answer by then, by road.
Plot latencyDistribution(const std::map<std::string, LatencyHistogram>& byRoad);

Status writeSvg(const Plot& plot, const std::filesystem::path& path);

}  // namespace qm::bench
