// What the daemon's own metrics (GET /metrics, Prometheus's text format) say of work that no request waits for: the
// phases of clones made ahead, and the end of VMs. Values.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include <boost/json/object.hpp>

namespace qm::bench {

struct TimeSum {
  double seconds = 0;
  double count = 0;
  bool operator==(const TimeSum&) const = default;
};

// "refill.spawn" …, by quickmatch_phase_seconds; "teardown", by quickmatch_teardown_seconds where there is one.
using DaemonTimes = std::map<std::string, TimeSum>;

DaemonTimes readDaemonTimes(std::string_view metrics);
// What came between two scrapes; names of which nothing came are left out.
DaemonTimes between(const DaemonTimes& earlier, const DaemonTimes& later);

// Of refill and teardown: lines for people, keys PREFIXrefill_spawn_mean_ms …
std::string table(const DaemonTimes& times);
void addFlat(const DaemonTimes& times, const std::string& prefix, boost::json::object& flat);

}  // namespace qm::bench
