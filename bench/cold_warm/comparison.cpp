#include "bench/cold_warm/comparison.h"

#include <algorithm>
#include <chrono>
#include <map>
#include <optional>

#include <fmt/format.h>

#include "bench/cold_warm/interval.h"
#include "bench/load/latency_histogram.h"

namespace qm::bench {

namespace {

struct Ratio {
  double of = 0;
  Interval interval;
};

const Way* named(const std::vector<Way>& ways, const std::string& name) {
  const auto found = std::ranges::find(ways, name, &Way::name);
  return found == ways.end() || found->reply.count() == 0 ? nullptr : &*found;
}

std::optional<Ratio> ratioOf(const std::vector<Way>& ways, const std::pair<std::string, std::string>& pair) {
  const Way *above = named(ways, pair.first), *below = named(ways, pair.second);
  if (above == nullptr || below == nullptr || above->reply.count() != below->reply.count()) return std::nullopt;
  return Ratio{.of = median(above->reply.samples()) / median(below->reply.samples()),
               .interval = ratioInterval(above->reply.samples(), below->reply.samples())};
}

}  // namespace

std::string table(const std::vector<Way>& ways) {
  std::string text = fmt::format("{:<16} {:>9} {:>19} {:>9} {:>9} {:>5}  {}\n", "ms", "p50", "95 % of the median",
                                 "p99", "max", "N", "from → to");
  for (const Way& way : ways) {
    if (way.reply.count() == 0) continue;
    const std::optional<Interval> interval = medianInterval(way.reply.samples());
    const std::string range = interval ? fmt::format("{:.2f} to {:.2f}", interval->low, interval->high) : "-";
    text +=
        fmt::format("{:<16} {:>9.2f} {:>19} {:>9.2f} {:>9.2f} {:>5}  {}\n", way.name, way.reply.percentile(50), range,
                    way.reply.percentile(99), way.reply.percentile(100), way.reply.count(), way.reply.meaning());
  }
  return text;
}

void addFlat(const std::vector<Way>& ways, boost::json::object& flat) {
  for (const Way& way : ways) {
    if (way.reply.count() == 0) continue;
    const std::string base = way.name + "_reply";
    flat[base + "_ms_p50"] = toMicroseconds(way.reply.percentile(50));
    flat[base + "_ms_p99"] = toMicroseconds(way.reply.percentile(99));
    flat[base + "_n"] = way.reply.count();
    const std::optional<Interval> interval = medianInterval(way.reply.samples());
    if (!interval) continue;
    flat[base + "_ms_ci_low"] = toMicroseconds(interval->low);
    flat[base + "_ms_ci_high"] = toMicroseconds(interval->high);
  }
}

Pairs allPairs(const std::vector<std::string>& slow, const std::vector<std::string>& fast) {
  Pairs pairs;
  for (const std::string& above : slow) {
    for (const std::string& below : fast) {
      if (above != below) pairs.emplace_back(above, below);
    }
  }
  return pairs;
}

std::string ratioTable(const std::vector<Way>& ways, const Pairs& pairs) {
  std::string text = fmt::format("{:<36} {:>9} {:>19}\n", "times as long, by medians", "ratio", "95 % of it");
  for (const auto& pair : pairs) {
    const std::optional<Ratio> ratio = ratioOf(ways, pair);
    if (!ratio) continue;
    const std::string range = fmt::format("{:.2f} to {:.2f}", ratio->interval.low, ratio->interval.high);
    text += fmt::format("{:<36} {:>9.2f} {:>19}\n", fmt::format("{} ÷ {}", pair.first, pair.second), ratio->of, range);
  }
  return text;
}

void addRatios(const std::vector<Way>& ways, const Pairs& pairs, boost::json::object& flat) {
  for (const auto& pair : pairs) {
    const std::optional<Ratio> ratio = ratioOf(ways, pair);
    if (!ratio) continue;
    const std::string key = fmt::format("{}_ratio_to_{}", pair.first, pair.second);
    flat[key] = toMicroseconds(ratio->of);
    flat[key + "_ci_low"] = toMicroseconds(ratio->interval.low);
    flat[key + "_ci_high"] = toMicroseconds(ratio->interval.high);
  }
}

Plot replyDistribution(const std::vector<Way>& ways) {
  std::map<std::string, LatencyHistogram> byName;
  for (const Way& way : ways) {
    for (const double sample : way.reply.samples()) {
      const std::chrono::duration<double, std::milli> time(sample);
      byName[way.name].add(std::chrono::duration_cast<std::chrono::nanoseconds>(time));
    }
  }
  Plot plot = latencyDistribution(byName);
  plot.title = "asked for → reply from inside the guest";
  return plot;
}

}  // namespace qm::bench
