// What a run's records come to. Values.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "bench/load/generator.h"
#include "bench/load/latency_histogram.h"

namespace qm::bench {

// The stretch that counts; what was scheduled before it warmed things up.
struct Window {
  std::chrono::nanoseconds warmUp{}, end{};
  // A request without an answer counts as one that took this long: leaving it out would make a run look better for it.
  std::chrono::nanoseconds patience{};
};

struct LoadSummary {
  std::uint64_t requests = 0, succeeded = 0;
  std::chrono::nanoseconds measured{};                   // the windows' lengths
  LatencyHistogram answer;                               // scheduled → the checked answer from inside the guest
  LatencyHistogram whole;                                // scheduled → released
  LatencyHistogram lateness;                             // scheduled → sent: the generator's own part of the above
  LatencyHistogram acquireToAnswer;                      // sent → the answer: a client's view, without that part
  LatencyHistogram acquire, ask, release;                // each step, from its message to its answer
  std::map<std::string, LatencyHistogram> answerByRoad;  // road
  std::map<std::string, LatencyHistogram> phases;        // "road.phase", as the daemon says
  std::map<std::string, std::uint64_t> failures;         // by what went wrong
  std::map<std::string, std::uint64_t> guestNonces;      // who answered: one for all clones of a snapshot
  std::chrono::nanoseconds generatorCpu{};               // over all of the runs, their warm-up included
  std::uint64_t allRequests = 0;                         // likewise
  std::size_t mostUnderWay = 0;

  double successRatio() const;
  double ratePerS() const;
  // Adds another run of the same plan.
  void add(const LoadSummary& other);
};

LoadSummary summarise(const LoadRun& run, const Window& window);

// Lines for people.
std::string table(const LoadSummary& summary);
// Keys with `prefix` before them: requests, success_ratio, p50_ms …, ready_p50_ms …, phase_ready_take_p50_ms …
void addFlat(const LoadSummary& summary, const std::string& prefix, boost::json::object& flat);

}  // namespace qm::bench
