#include "bench/load/load_summary.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace qm::bench {

namespace {

using std::chrono::nanoseconds;

struct Quantile {
  const char* name;
  double fraction;
};
constexpr Quantile kQuantiles[]{{"p50", 0.5}, {"p90", 0.9}, {"p99", 0.99}, {"p999", 0.999}};

double milliseconds(nanoseconds time) {
  constexpr double kThousand = 1000;
  return std::round(std::chrono::duration<double, std::milli>(time).count() * kThousand) / kThousand;
}

void add(LoadSummary& summary, const RequestRecord& record, const Window& window) {
  ++summary.requests;
  if (record.succeeded()) {
    ++summary.succeeded;
  } else {
    ++summary.failures[record.failure.empty() ? "never ended" : record.failure];
  }
  const nanoseconds failed = window.patience;
  const nanoseconds answer = record.answered ? *record.answered - record.scheduled : failed;
  summary.answer.add(answer);
  summary.whole.add(record.succeeded() ? *record.released - record.scheduled : std::max(failed, answer));
  summary.lateness.add(record.sent - record.scheduled);
  if (record.road) summary.answerByRoad[std::string(pool::name(*record.road))].add(answer);
  summary.acquireToAnswer.add(record.answered ? *record.answered - record.sent : failed);
  if (record.granted) summary.acquire.add(*record.granted - record.sent);
  if (record.answered) summary.ask.add(*record.answered - *record.granted);
  if (record.answered && record.released) summary.release.add(*record.released - *record.answered);
  if (!record.guestNonce.empty()) ++summary.guestNonces[record.guestNonce];
  if (!record.road) return;
  for (const auto& [phase, took] : record.phases)
    summary.phases[fmt::format("{}.{}", pool::name(*record.road), phase)].add(
        std::chrono::microseconds(static_cast<std::int64_t>(took)));
}

template <class Value>
void addEach(std::map<std::string, Value>& into, const std::map<std::string, Value>& from) {
  for (const auto& [name, value] : from) {
    if constexpr (std::is_integral_v<Value>) {
      into[name] += value;
    } else {
      into[name].add(value);
    }
  }
}

std::string row(std::string_view name, const LatencyHistogram& histogram) {
  std::string text = fmt::format("  {:<24}", name);
  for (const Quantile& quantile : kQuantiles)
    text += fmt::format(" {:>9.2f}", milliseconds(histogram.quantile(quantile.fraction)));
  return text + fmt::format(" {:>9.2f} {:>7}\n", milliseconds(histogram.max()), histogram.count());
}

void addQuantiles(const LatencyHistogram& histogram, const std::string& prefix, boost::json::object& flat) {
  if (histogram.count() == 0) return;
  for (const Quantile& quantile : kQuantiles)
    flat[fmt::format("{}{}_ms", prefix, quantile.name)] = milliseconds(histogram.quantile(quantile.fraction));
  flat[prefix + "max_ms"] = milliseconds(histogram.max());
}

}  // namespace

double LoadSummary::successRatio() const {
  return requests == 0 ? 0 : static_cast<double>(succeeded) / static_cast<double>(requests);
}

double LoadSummary::ratePerS() const {
  const double seconds = std::chrono::duration<double>(measured).count();
  return seconds <= 0 ? 0 : static_cast<double>(requests) / seconds;
}

void LoadSummary::add(const LoadSummary& other) {
  requests += other.requests;
  succeeded += other.succeeded;
  measured += other.measured;
  answer.add(other.answer);
  whole.add(other.whole);
  lateness.add(other.lateness);
  acquireToAnswer.add(other.acquireToAnswer);
  acquire.add(other.acquire);
  ask.add(other.ask);
  release.add(other.release);
  addEach(answerByRoad, other.answerByRoad);
  addEach(phases, other.phases);
  addEach(failures, other.failures);
  addEach(guestNonces, other.guestNonces);
  generatorCpu += other.generatorCpu;
  allRequests += other.allRequests;
  mostUnderWay = std::max(mostUnderWay, other.mostUnderWay);
}

LoadSummary summarise(const LoadRun& run, const Window& window) {
  LoadSummary summary;
  summary.measured = window.end - window.warmUp;
  summary.generatorCpu = run.cpu;
  summary.allRequests = run.records.size();
  summary.mostUnderWay = run.mostUnderWay;
  for (const RequestRecord& record : run.records) {
    if (record.scheduled >= window.warmUp && record.scheduled < window.end) add(summary, record, window);
  }
  return summary;
}

std::string table(const LoadSummary& summary) {
  std::string text =
      fmt::format("  {:<24} {:>9} {:>9} {:>9} {:>9} {:>9} {:>7}\n", "ms", "p50", "p90", "p99", "p99.9", "max", "N");
  text += row("scheduled → answer", summary.answer) + row("scheduled → released", summary.whole);
  for (const auto& [road, histogram] : summary.answerByRoad) text += row("  answer by road " + road, histogram);
  text += row("acquire → answer", summary.acquireToAnswer) + row("  acquire", summary.acquire) +
          row("  ask (reply or exec)", summary.ask) + row("release", summary.release);
  for (const auto& [name, histogram] : summary.phases) text += row("  phase " + name, histogram);
  text += row("generator late by", summary.lateness);
  text += fmt::format("  {} requests, {:.2f}/s, {:.4f} % succeeded, at most {} under way\n", summary.requests,
                      summary.ratePerS(), summary.successRatio() * 100, summary.mostUnderWay);
  for (const auto& [failure, count] : summary.failures) text += fmt::format("  failed {:>6}: {}\n", count, failure);
  return text;
}

void addFlat(const LoadSummary& summary, const std::string& prefix, boost::json::object& flat) {
  flat[prefix + "rate_per_s"] = summary.ratePerS();
  flat[prefix + "requests"] = summary.requests;
  flat[prefix + "success_ratio"] = summary.successRatio();
  flat[prefix + "failed"] = summary.requests - summary.succeeded;
  flat[prefix + "most_under_way"] = summary.mostUnderWay;
  flat[prefix + "guest_nonces"] = summary.guestNonces.size();
  addQuantiles(summary.answer, prefix, flat);
  addQuantiles(summary.whole, prefix + "released_", flat);
  addQuantiles(summary.lateness, prefix + "generator_late_", flat);
  addQuantiles(summary.acquireToAnswer, prefix + "acquire_to_answer_", flat);
  addQuantiles(summary.acquire, prefix + "acquire_", flat);
  addQuantiles(summary.ask, prefix + "ask_", flat);
  addQuantiles(summary.release, prefix + "release_", flat);
  for (const auto& [road, histogram] : summary.answerByRoad) {
    flat[fmt::format("{}road_{}_requests", prefix, road)] = histogram.count();
    addQuantiles(histogram, fmt::format("{}road_{}_", prefix, road), flat);
  }
  for (const auto& [name, histogram] : summary.phases) {
    std::string key = name;
    std::ranges::replace(key, '.', '_');
    addQuantiles(histogram, fmt::format("{}phase_{}_", prefix, key), flat);
  }
  if (summary.allRequests > 0)
    flat[prefix + "generator_cpu_ms_per_request"] =
        milliseconds(summary.generatorCpu / static_cast<std::int64_t>(summary.allRequests));
}

}  // namespace qm::bench
