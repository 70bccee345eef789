#include "bench/load/schedule.h"

#include <cmath>

#include "bench/load/random.h"

namespace qm::bench {

namespace {

using std::chrono::nanoseconds;

constexpr Pattern kPatterns[]{Pattern::poisson, Pattern::fixed, Pattern::burst, Pattern::closed};
constexpr double kMostRequests = 5e6;

nanoseconds ofSeconds(double seconds) {
  return std::chrono::duration_cast<nanoseconds>(std::chrono::duration<double>(seconds));
}

std::vector<nanoseconds> poisson(const Arrivals& arrivals) {
  std::vector<nanoseconds> starts;
  Random random(arrivals.seed);
  double at = 0;
  for (;;) {
    // The inverse of the exponential distribution; 1 - u is above 0.
    at += -std::log1p(-random.fraction()) / arrivals.ratePerS;
    if (ofSeconds(at) >= arrivals.duration) return starts;
    starts.push_back(ofSeconds(at));
  }
}

std::vector<nanoseconds> evenly(const Arrivals& arrivals, std::uint32_t together) {
  std::vector<nanoseconds> starts;
  for (std::uint64_t group = 0;; ++group) {
    const nanoseconds at = ofSeconds(static_cast<double>(group) * together / arrivals.ratePerS);
    if (at >= arrivals.duration) return starts;
    starts.insert(starts.end(), together, at);
  }
}

}  // namespace

std::string_view name(Pattern pattern) {
  switch (pattern) {
    case Pattern::poisson:
      return "poisson";
    case Pattern::fixed:
      return "fixed";
    case Pattern::burst:
      return "burst";
    case Pattern::closed:
      return "closed";
  }
  return "unknown";
}

std::optional<Pattern> patternNamed(std::string_view text) {
  for (const Pattern pattern : kPatterns) {
    if (name(pattern) == text) return pattern;
  }
  return std::nullopt;
}

Status check(const Arrivals& arrivals) {
  if (arrivals.duration <= nanoseconds::zero()) return Error(Remedy::fixInput, "a run lasts longer than 0 s");
  if (arrivals.pattern == Pattern::closed) {
    if (arrivals.clients == 0) return Error(Remedy::fixInput, "a closed loop has at least one client");
    return {};
  }
  if (!(arrivals.ratePerS > 0)) return Error(Remedy::fixInput, "a rate is above 0");
  if (arrivals.burst == 0) return Error(Remedy::fixInput, "a burst has at least one request");
  if (arrivals.ratePerS * std::chrono::duration<double>(arrivals.duration).count() > kMostRequests)
    return Error(Remedy::fixInput, "these are more than five million requests");
  return {};
}

std::vector<nanoseconds> schedule(const Arrivals& arrivals) {
  switch (arrivals.pattern) {
    case Pattern::poisson:
      return poisson(arrivals);
    case Pattern::fixed:
      return evenly(arrivals, 1);
    case Pattern::burst:
      return evenly(arrivals, arrivals.burst);
    case Pattern::closed:
      return {};
  }
  return {};
}

}  // namespace qm::bench
