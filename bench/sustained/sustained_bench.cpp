// sustained-bench: an open-loop load on a quickmatchd of its own, for minutes, and what each request took and cost.
#include <algorithm>
#include <cstdio>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <boost/json/object.hpp>
#include <fmt/format.h>

#include "bench/load/load_plan.h"
#include "bench/load/rate_search.h"
#include "bench/load/service.h"
#include "bench/load/service_options.h"
#include "bench/load/svg_plot.h"
#include "bench/load/system_calls.h"
#include "bench/start/figures.h"
#include "bench/start/program.h"
#include "bench/sustained/floor_rates.h"
#include "vmm/os/folder.h"

namespace {

using namespace qm;
using namespace qm::bench;

struct Command {
  ServiceSettings service;
  Stamp stamp;
  std::string arrivals = "poisson", what = "default", road = "any";
  double rate = 0, seconds = 60, warmUpS = 10, patienceS = 10;
  std::uint32_t runs = 3, burst = 100, clients = 4;
  std::uint64_t seed = 1, waitMs = 0;
  bool search = false;
  double searchSeconds = 12;
  RateSearch rates;
  std::filesystem::path floor, json;
};

void describe(CLI::App& app, Command& command) {
  ServiceSettings& service = command.service;
  describeService(app, service);
  app.add_option("--pool", service.pool, "Clones kept ready; 0: every request is a miss")->capture_default_str();
  app.add_option("--refills", service.refillsAtOnce, "Clones made at once [the daemon's own]");
  app.add_option("--blanks", service.blanks, "Processes kept for a miss [the daemon's own]");
  app.add_option("--request-threads", service.requestThreads, "Requests served at once [the daemon's own]");
  app.add_option("--arrivals", command.arrivals, "poisson, fixed, burst, closed")->capture_default_str();
  app.add_option("--rate", command.rate, "Requests a second [150, and for exec 100 and 150]");
  app.add_option("--burst", command.burst, "Requests at once, by --arrivals burst")->capture_default_str();
  app.add_option("--clients", command.clients, "Clients, by --arrivals closed")->capture_default_str();
  app.add_option("--what", command.what, "reply, exec [reply at 150/s, exec at 100 and 150/s]");
  app.add_option("--road", command.road, "any, ready, blank, spawn, boot")->capture_default_str();
  app.add_option("--wait-ms", command.waitMs, "How long a request waits for a ready clone")->capture_default_str();
  app.add_option("--seconds", command.seconds, "Of each run, after its warm-up")->capture_default_str();
  app.add_option("--warm-up", command.warmUpS, "Seconds of the same load before each run")->capture_default_str();
  app.add_option("--patience", command.patienceS, "Seconds after which a request has failed")->capture_default_str();
  app.add_option("--runs", command.runs, "Of each load")->capture_default_str();
  app.add_option("--seed", command.seed, "Of the first run; the next ones follow")->capture_default_str();
  app.add_flag("--search", command.search, "Search the highest rate at which p99 is at most 125 ms and nothing fails");
  app.add_option("--search-seconds", command.searchSeconds, "Of each run of the search")->capture_default_str();
  app.add_option("--search-from", command.rates.from, "The first rate that it tries")->capture_default_str();
  app.add_option("--search-most", command.rates.most, "Where the search ends")->capture_default_str();
  app.add_option("--search-step", command.rates.step, "How near it goes")->capture_default_str();
  app.add_option("--floor", command.floor, "The program start-floor: on KVM, how many bare VMs a second there are");
  app.add_option("--trace", command.service.trace,
                 "Folder for strace's files: count system calls; times mean nothing then");
  describeStamp(app, command.stamp);
  app.add_option("--json", command.json, "Where the figures go, as one flat object");
}

std::chrono::nanoseconds ofSeconds(double seconds) {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::duration<double>(seconds));
}

struct Load {
  What what = What::reply;
  double rate = 0;
  std::string name() const { return fmt::format("{}_{:g}", what == What::reply ? "reply" : "exec", rate); }
};

std::vector<Load> loadsOf(const Command& command) {
  const double rate = command.rate > 0 ? command.rate : 150;
  if (command.what == "reply") return {{What::reply, rate}};
  if (command.what == "exec") return {{What::exec, rate}};
  if (command.rate > 0) return {{What::reply, rate}, {What::exec, rate}};
  return {{What::reply, 150}, {What::exec, 100}, {What::exec, 150}};
}

Result<LoadPlan> planOf(const Command& command, const Load& load, double seconds) {
  LoadPlan plan{.warmUp = ofSeconds(command.warmUpS), .patience = ofSeconds(command.patienceS)};
  const auto pattern = patternNamed(command.arrivals);
  if (!pattern) return Error(Remedy::fixInput, "there are no arrivals " + command.arrivals);
  plan.arrivals = {.pattern = *pattern,
                   .ratePerS = load.rate,
                   .burst = command.burst,
                   .clients = command.clients,
                   .seed = command.seed,
                   .duration = ofSeconds(seconds)};
  plan.wish.what = load.what;
  plan.wish.waitMs = command.waitMs;
  if (command.road != "any") {
    plan.wish.road = pool::roadNamed(command.road);
    if (!plan.wish.road) return Error(Remedy::fixInput, "there is no road " + command.road);
  }
  return plan;
}

constexpr auto kLimit = std::chrono::milliseconds(125);

bool holds(const LoadSummary& summary) {
  return summary.successRatio() >= 1 && summary.answer.quantile(0.99) <= kLimit;
}

// A run that fails is not tried again.
Result<double> searchRate(Service& service, const Command& command, What what) {
  fmt::print("\nthe highest rate of {} that holds p99 ≤ 125 ms:\n", what == What::reply ? "replies" : "execs");
  const auto tried = [&](double rate) -> Result<bool> {
    const LoadPlan plan = TRY(planOf(command, {what, rate}, command.searchSeconds));
    const LoadOutcome outcome = TRY(runPlan(service, plan));
    const bool held = holds(outcome.summary);
    fmt::print("  {:>7.1f}/s: p99 {:.1f} ms, {} failed of {}: {}\n", rate,
               std::chrono::duration<double, std::milli>(outcome.summary.answer.quantile(0.99)).count(),
               outcome.summary.requests - outcome.summary.succeeded, outcome.summary.requests, held ? "holds" : "no");
    std::fflush(stdout);
    return held;
  };
  const double rate = TRY(highestRate(command.rates, tried));
  fmt::print("  {:.1f}/s\n", rate);
  return rate;
}

// Of each kind of load; a search has no rate of its own.
Status searchRates(Service& service, const Command& command, boost::json::object& flat) {
  std::vector<What> kinds;
  for (const Load& load : loadsOf(command)) {
    if (std::ranges::find(kinds, load.what) == kinds.end()) kinds.push_back(load.what);
  }
  for (const What what : kinds) {
    const double rate = TRY(searchRate(service, command, what));
    flat[what == What::reply ? "reply_max_rate_at_p99_125ms" : "exec_max_rate_at_p99_125ms"] = rate;
    if (what == kinds.front()) flat["max_rate_at_p99_125ms"] = rate;
  }
  return {};
}

// Before the loads and after them: the host may have been slower for one of the two.
void addFloor(const FloorRates& before, const FloorRates& after, boost::json::object& flat) {
  const FloorRates floor = higherOf(before, after);
  if (floor.empty()) return;
  fmt::print("\n{}", table(floor));
  addFlat(floor, flat);
  const boost::json::value* rate = flat.if_contains("max_rate_at_p99_125ms");
  if (rate == nullptr) return;
  const double ratio = rate->to_number<double>() / best(floor);
  flat["max_rate_ratio_to_floor"] = toMicroseconds(ratio);
  fmt::print("  the highest rate is {:.3f} of it\n", ratio);
}

// Beside the figures: FILE.reply_150_run1.time.svg, …roads.svg.
Status plot(const Command& command, const Load& load, std::uint32_t run, const LoadOutcome& outcome) {
  const std::string base = fmt::format("{}.{}_run{}", command.json.string(), load.name(), run);
  TRY(writeSvg(latencyOverTime(outcome.run.records, ofSeconds(command.patienceS)), base + ".time.svg"));
  return writeSvg(latencyDistribution(outcome.summary.answerByRoad), base + ".roads.svg");
}

Status tellCalls(const Service& service, const Command& command, const LoadOutcome& outcome, const std::string& prefix,
                 boost::json::object& flat) {
  const ServiceThreads threads = TRY(threadsOf(service.pid()));
  const ServiceCalls calls = TRY(countServiceCalls(command.service.trace, threads, outcome.stretch));
  fmt::print("{}", table(calls, outcome.usageRequests));
  const auto each = [&](const CallCounts& counts) {
    return static_cast<double>(sum(counts)) / static_cast<double>(std::max<std::uint64_t>(outcome.usageRequests, 1));
  };
  flat[prefix + "daemon_calls_per_request"] = each(calls.daemon);
  flat[prefix + "spawner_calls_per_request"] = each(calls.spawner);
  flat[prefix + "vms_calls_per_request"] = each(calls.vms);
  return {};
}

Status measureLoad(Service& service, const Command& command, const Load& load, boost::json::object& flat,
                   const std::string& first) {
  LoadSummary all;
  for (std::uint32_t run = 0; run < command.runs; ++run) {
    LoadPlan plan = TRY(planOf(command, load, command.seconds));
    plan.arrivals.seed += run;
    const LoadOutcome outcome = TRY(runPlan(service, plan));
    fmt::print("\n{} {:g}/s {}, road {}, run {} of {}, {:g} s, seed {}\n{}{}",
               load.what == What::reply ? "reply" : "exec", load.rate, command.arrivals, command.road, run + 1,
               command.runs, command.seconds, plan.arrivals.seed, table(outcome.summary), usageTable(outcome));
    std::fflush(stdout);
    const std::string prefix = fmt::format("{}_run{}_", load.name(), run + 1);
    addFlat(outcome.summary, prefix, flat);
    addUsageFlat(outcome, prefix, flat);
    fmt::print("{}{}", table(outcome.behind), vmTable(outcome.vms));
    addFlat(outcome.behind, prefix, flat);
    addVmFlat(outcome.vms, prefix, flat);
    if (run == 0) addUsageFlat(outcome, load.name() + "_", flat);
    if (run == 0 && load.name() == first) addUsageFlat(outcome, "", flat);
    all.add(outcome.summary);
    if (!command.json.empty()) TRY(plot(command, load, run + 1, outcome));
    if (!command.service.trace.empty()) TRY(tellCalls(service, command, outcome, load.name() + "_", flat));
  }
  addFlat(all, load.name() + "_", flat);
  if (load.name() == first) addFlat(all, "", flat);
  fmt::print("\n{}: all runs together: {}\n{}", load.name(),
             holds(all) ? "p99 at most 125 ms and nothing failed" : "does NOT hold p99 ≤ 125 ms without a failure",
             table(all));
  return {};
}

Status measureLoads(Service& service, const Command& command, boost::json::object& flat) {
  const std::vector<Load> loads = loadsOf(command);
  for (const Load& load : loads) TRY(measureLoad(service, command, load, flat, loads.front().name()));
  return {};
}

Status measure(const Command& command) {
  if (!command.service.trace.empty()) TRY(makeFolder(command.service.trace));
  Service service = TRY(Service::start(command.service));
  boost::json::object flat = TRY(introduce(service, command.service, command.stamp));
  flat.insert({{"road", command.road},
               {"arrivals", command.arrivals},
               {"seed", command.seed},
               {"seconds", command.seconds},
               {"runs", command.runs}});
  const bool hasFloor = !command.floor.empty() && flat.at("backend").as_string() == "kvm";
  const auto floor = [&]() -> Result<FloorRates> { return hasFloor ? measureFloorRates(command.floor) : FloorRates(); };
  const FloorRates before = TRY(floor());
  Status done = command.search ? searchRates(service, command, flat) : measureLoads(service, command, flat);
  addFloor(before, TRY(floor()), flat);
  if (!command.json.empty()) TRY(writeFlat(flat, command.json));
  return done;
}

}  // namespace

int main(int count, char** words) {
  return runProgram<Command>(
      {"sustained-bench",
       "Holds a load for minutes: open loop, every latency from the time at which the request should have left."},
      count, words, describe, measure);
}
