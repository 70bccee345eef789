// What a run's samples come to: a table with intervals, how many times as long one way takes as another, a plot.
// Values.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include <boost/json/object.hpp>

#include "bench/load/svg_plot.h"
#include "bench/start/figures.h"

namespace qm::bench {

// A way to come to a guest that answers.
struct Way {
  std::string name;  // what its figures' names begin with
  Figure reply;      // a sample for each round, in milliseconds
};

// Lines for people.
std::string table(const std::vector<Way>& ways);

// WAY_reply_ms_p50, …_p99, …_ci_low and …_ci_high (of the median; from six samples on), WAY_reply_n.
void addFlat(const std::vector<Way>& ways, boost::json::object& flat);

// Those of the ways that are compared, `above` by `below`; by their names.
using Pairs = std::vector<std::pair<std::string, std::string>>;
// Each of `slow` against each of `fast`, but for itself.
Pairs allPairs(const std::vector<std::string>& slow, const std::vector<std::string>& fast);

// Lines for people; keys ABOVE_ratio_to_BELOW, and with _ci_low and _ci_high behind it. Of ways that are there and have
// samples.
std::string ratioTable(const std::vector<Way>& ways, const Pairs& pairs);
void addRatios(const std::vector<Way>& ways, const Pairs& pairs, boost::json::object& flat);

// Which part of the starts had its reply by then.
Plot replyDistribution(const std::vector<Way>& ways);

}  // namespace qm::bench
