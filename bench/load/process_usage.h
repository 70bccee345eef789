// What processes and the machine have used, by proc(5). Times come in hundredths of a second: for stretches of seconds.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <string_view>
#include <vector>

#include "vmm/result/result.h"

namespace qm::bench {

struct Usage {
  std::chrono::nanoseconds user{}, system{};
  std::uint64_t minorFaults = 0;

  std::chrono::nanoseconds cpu() const { return user + system; }
  Usage& operator+=(const Usage& other);
  friend Usage operator+(Usage one, const Usage& other) { return one += other; }
  // Of an earlier sample; what vanished in between (a process that ended where nobody sums it up) counts as nothing.
  Usage since(const Usage& earlier) const;
  bool operator==(const Usage&) const = default;
};

struct ProcessUsage {
  pid_t parent = 0;
  Usage own;
  Usage ended;  // of its children that it has waited for, and theirs
};

// Of /proc/PID/stat's text.
Result<ProcessUsage> readProcessStat(std::string_view text);
// Of /proc/stat's text: all that was not idle, all CPUs together. Time that the host gave to others (steal) is none.
Result<std::chrono::nanoseconds> readMachineBusy(std::string_view text);

// The three parts of the service, and the machine they run on.
struct ServiceUsage {
  Usage daemon, spawner;
  Usage vms;    // all that descend from the spawner: those that live, and those that ended and were waited for
  Usage bench;  // this process
  std::chrono::nanoseconds machineBusy{};
  std::chrono::steady_clock::time_point at;

  ServiceUsage since(const ServiceUsage& earlier) const;
};

Result<ServiceUsage> sampleUsage(pid_t daemon);

// All that descend from this process, ascending.
std::vector<pid_t> descendantsOf(pid_t ancestor);

}  // namespace qm::bench
