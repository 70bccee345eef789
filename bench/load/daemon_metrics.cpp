#include "bench/load/daemon_metrics.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace qm::bench {

namespace {

constexpr std::string_view kPhases = "quickmatch_phase_seconds", kTeardown = "quickmatch_teardown_seconds";

std::string_view label(std::string_view line, std::string_view name) {
  const std::string key = fmt::format("{}=\"", name);
  const std::size_t at = line.find(key);
  if (at == std::string_view::npos) return {};
  line.remove_prefix(at + key.size());
  return line.substr(0, line.find('"'));
}

// "family_sum{road="refill",phase="spawn"} 1.5"
void readLine(std::string_view line, DaemonTimes& times) {
  const std::size_t end = line.find_first_of("{ "), space = line.rfind(' ');
  if (line.starts_with('#') || end == std::string_view::npos) return;
  std::string_view family = line.substr(0, end);
  const bool isSum = family.ends_with("_sum"), isCount = family.ends_with("_count");
  if (!isSum && !isCount) return;
  family = family.substr(0, family.rfind('_'));
  std::string name;
  if (family == kTeardown) name = "teardown";
  if (family == kPhases) name = fmt::format("{}.{}", label(line, "road"), label(line, "phase"));
  double value = 0;
  const auto read = std::from_chars(line.data() + space + 1, line.data() + line.size(), value);
  if (name.empty() || read.ec != std::errc()) return;
  (isSum ? times[name].seconds : times[name].count) += value;
}

// Of what no request waits for.
bool isBehind(std::string_view name) {
  return name.starts_with("refill.") || name == "teardown";
}

double meanMs(const TimeSum& time) {
  constexpr double kThousand = 1000;
  return std::round(time.seconds / time.count * kThousand * kThousand) / kThousand;
}

}  // namespace

DaemonTimes readDaemonTimes(std::string_view metrics) {
  DaemonTimes times;
  while (!metrics.empty()) {
    const std::size_t end = std::min(metrics.find('\n'), metrics.size() - 1);
    readLine(metrics.substr(0, metrics[end] == '\n' ? end : end + 1), times);
    metrics.remove_prefix(end + 1);
  }
  return times;
}

DaemonTimes between(const DaemonTimes& earlier, const DaemonTimes& later) {
  DaemonTimes came;
  for (const auto& [name, time] : later) {
    const auto before = earlier.find(name);
    const TimeSum was = before == earlier.end() ? TimeSum() : before->second;
    if (time.count > was.count) came[name] = {.seconds = time.seconds - was.seconds, .count = time.count - was.count};
  }
  return came;
}

std::string table(const DaemonTimes& times) {
  std::string text;
  for (const auto& [name, time] : times)
    if (isBehind(name))
      text += fmt::format("  {:<24} {:>9.2f} ms in the mean of {:.0f}\n", name, meanMs(time), time.count);
  return text;
}

void addFlat(const DaemonTimes& times, const std::string& prefix, boost::json::object& flat) {
  for (const auto& [name, time] : times) {
    if (!isBehind(name)) continue;
    std::string key = name;
    std::ranges::replace(key, '.', '_');
    flat[fmt::format("{}{}_mean_ms", prefix, key)] = meanMs(time);
  }
}

}  // namespace qm::bench
