#include "bench/load/load_plan.h"

#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace qm::bench {

namespace {

using std::chrono::nanoseconds;

struct Part {
  const char* name;
  const char* what;
  Usage ServiceUsage::* usage;
};
constexpr Part kParts[]{{"daemon", "quickmatchd", &ServiceUsage::daemon},
                        {"spawner", "quickmatch-spawner", &ServiceUsage::spawner},
                        {"vms", "VMs, made and ended", &ServiceUsage::vms},
                        {"bench", "the generator's process", &ServiceUsage::bench}};

double perRequest(double amount, std::uint64_t requests) {
  constexpr double kThousand = 1000;
  return requests == 0 ? 0 : std::round(amount / static_cast<double>(requests) * kThousand) / kThousand;
}

double milliseconds(nanoseconds time) {
  return std::chrono::duration<double, std::milli>(time).count();
}

Usage allParts(const ServiceUsage& usage) {
  Usage sum;
  for (const Part& part : kParts) sum += usage.*(part.usage);
  return sum;
}

}  // namespace

double LoadOutcome::cpuMsPerRequest() const {
  return perRequest(milliseconds(usage.machineBusy), usageRequests);
}

Result<LoadOutcome> runPlan(Service& service, const LoadPlan& plan) {
  TRY(service.waitUntilFull());
  const nanoseconds end = plan.warmUp + plan.arrivals.duration;
  std::optional<Result<ServiceUsage>> before, after;
  LoadOutcome outcome;
  LoadSettings settings{.socket = service.socket(),
                        .arrivals = plan.arrivals,
                        .wish = plan.wish,
                        .patience = plan.patience,
                        .moments = {{plan.warmUp,
                                     [&] {
                                       before = sampleUsage(service.pid());
                                       outcome.stretch.from = std::chrono::system_clock::now();
                                     }},
                                    {end, [&] {
                                       after = sampleUsage(service.pid());
                                       outcome.stretch.to = std::chrono::system_clock::now();
                                     }}}};
  settings.arrivals.duration = end;
  const std::string earlier = TRY(service.metrics());
  outcome.run = TRY(runLoad(settings));
  outcome.summary = summarise(outcome.run, {.warmUp = plan.warmUp, .end = end, .patience = plan.patience});
  const ServiceUsage first = TRY(*std::move(before)), last = TRY(*std::move(after));
  outcome.usage = last.since(first);
  outcome.usageOver = last.at - first.at;
  outcome.usageRequests = outcome.summary.requests;
  TRY(service.waitUntilFull().during("waiting for the pool after the run"));
  const std::string later = TRY(service.metrics());
  outcome.behind = between(readDaemonTimes(earlier), readDaemonTimes(later));
  outcome.vms = between(readVmTotals(earlier), readVmTotals(later));
  return outcome;
}

std::string usageTable(const LoadOutcome& outcome) {
  const std::uint64_t requests = outcome.usageRequests;
  std::string text =
      fmt::format("  {:<24} {:>9} {:>9} {:>9} {:>9}\n", "to each request", "user ms", "system ms", "CPU ms", "faults");
  const auto row = [&](std::string_view name, const Usage& usage) {
    return fmt::format("  {:<24} {:>9.2f} {:>9.2f} {:>9.2f} {:>9.0f}\n", name,
                       perRequest(milliseconds(usage.user), requests), perRequest(milliseconds(usage.system), requests),
                       perRequest(milliseconds(usage.cpu()), requests),
                       perRequest(static_cast<double>(usage.minorFaults), requests));
  };
  for (const Part& part : kParts) text += row(part.what, outcome.usage.*(part.usage));
  text += row("together", allParts(outcome.usage));
  return text + fmt::format("  {:<24} {:>29.2f}   ({:.0f} % of one CPU; what is above the sum is others')\n",
                            "the whole machine", outcome.cpuMsPerRequest(),
                            100 * milliseconds(outcome.usage.machineBusy) / milliseconds(outcome.usageOver));
}

void addUsageFlat(const LoadOutcome& outcome, const std::string& prefix, boost::json::object& flat) {
  const std::uint64_t requests = outcome.usageRequests;
  for (const Part& part : kParts) {
    const Usage& usage = outcome.usage.*(part.usage);
    const std::string base = prefix + part.name;
    flat[base + "_user_ms_per_request"] = perRequest(milliseconds(usage.user), requests);
    flat[base + "_system_ms_per_request"] = perRequest(milliseconds(usage.system), requests);
    flat[base + "_faults_per_request"] = perRequest(static_cast<double>(usage.minorFaults), requests);
  }
  flat[prefix + "cpu_ms_per_request"] = perRequest(milliseconds(allParts(outcome.usage).cpu()), requests);
  flat[prefix + "machine_cpu_ms_per_request"] = outcome.cpuMsPerRequest();
}

}  // namespace qm::bench
