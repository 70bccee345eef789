// What the compiler made when the project was built (compiled.cpp in the build folder).
#pragma once

#include <linux/filter.h>

#include <span>
#include <string_view>

#include "vmm/seccomp/thread_role.h"

namespace qm::seccomp {

// `level` is not `off`.
std::span<const sock_filter> compiledFilter(ThreadRole role, Level level);

std::span<const sock_filter> compiledJailFilter();

// "openat"; empty: a number that no call has. Async-signal-safe.
std::string_view callName(int number);

}  // namespace qm::seccomp
