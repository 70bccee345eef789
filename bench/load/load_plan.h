// One measurement: a load on a service, for so long, so many times. And the same with its costs.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <vector>

#include <boost/json/object.hpp>

#include "bench/load/daemon_metrics.h"
#include "bench/load/generator.h"
#include "bench/load/load_summary.h"
#include "bench/load/process_usage.h"
#include "bench/load/service.h"
#include "bench/load/system_calls.h"
#include "bench/load/vm_metrics.h"
#include "vmm/result/result.h"

namespace qm::bench {

struct LoadPlan {
  Arrivals arrivals;  // its duration is what counts; the warm-up comes before it, in the same stream of arrivals
  LeaseWish wish;
  std::chrono::nanoseconds warmUp = std::chrono::seconds(10);
  std::chrono::nanoseconds patience = std::chrono::seconds(10);
};

struct LoadOutcome {
  LoadSummary summary;
  ServiceUsage usage;  // from the end of the warm-up until the last arrival's time
  std::chrono::nanoseconds usageOver{};
  TracedStretch stretch;            // the same, by the wall clock
  std::uint64_t usageRequests = 0;  // arrivals in that stretch
  DaemonTimes behind;               // from before the warm-up until the pool is full again
  VmTotals vms;                     // the same time: VMs that were gone by its end
  LoadRun run;                      // for plots

  // CPU of all that the machine did, to each request; CPU milliseconds.
  double cpuMsPerRequest() const;
};

// Waits for a full pool, before and after.
Result<LoadOutcome> runPlan(Service& service, const LoadPlan& plan);

// Who used how much, to each request. Lines for people; keys cpu_ms_per_request, daemon_cpu_user_ms_per_request …
std::string usageTable(const LoadOutcome& outcome);
void addUsageFlat(const LoadOutcome& outcome, const std::string& prefix, boost::json::object& flat);

}  // namespace qm::bench
