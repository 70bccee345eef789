// Which system calls a service made, counted from what strace -ff -ttt wrote: one file for each thread. Tracing slows
// every call down many times over, so a traced run tells counts and no times.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include "vmm/result/result.h"

namespace qm::bench {

using CallCounts = std::map<std::string, std::uint64_t>;  // by the call's name

// Wall-clock times, as strace writes them.
struct TracedStretch {
  std::chrono::system_clock::time_point from, to;
};

// Adds the calls that began within the stretch; lines that tell of signals and ends are passed over.
void countCalls(std::string_view text, const TracedStretch& stretch, CallCounts& counts);

// Threads of the daemon, and of its children (the spawner), while they live; all others are VMs'.
struct ServiceThreads {
  std::set<pid_t> daemon, spawner;
};
Result<ServiceThreads> threadsOf(pid_t daemon);

struct ServiceCalls {
  CallCounts daemon, spawner, vms;
};
// `folder`: of the files calls.TID.
Result<ServiceCalls> countServiceCalls(const std::filesystem::path& folder, const ServiceThreads& threads,
                                       const TracedStretch& stretch);

// To each of so many requests; the most frequent by name.
std::string table(const ServiceCalls& calls, std::uint64_t requests);
std::uint64_t sum(const CallCounts& counts);

}  // namespace qm::bench
