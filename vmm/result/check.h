// CHECK: what must not happen. Stays in release builds: a broken invariant ends the process before it can corrupt a
// guest.
#pragma once

#include <source_location>

namespace qm {

// Writes "CHECK failed: <condition> at file:line in function" to standard error and aborts. Async-signal-safe.
[[noreturn]] void checkFailed(const char* condition, std::source_location where = std::source_location::current());

}  // namespace qm

#define CHECK(condition) ((condition) ? void() : ::qm::checkFailed(#condition))
