// How long a process's threads have run, to the nanosecond (proc(5), /proc/PID/task/TID/schedstat). /proc/PID/stat
// counts in hundredths of a second: an idle guest does not reach the first in a minute.
#pragma once

#include <sys/types.h>

#include <chrono>

#include "vmm/result/result.h"

namespace qm::bench {

// Of the threads that live; what ended ones used is not in it.
Result<std::chrono::nanoseconds> cpuTimeOf(pid_t pid);

}  // namespace qm::bench
