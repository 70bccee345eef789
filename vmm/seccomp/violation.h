// What becomes of a thread that makes a call which its filter refuses: the process says which one and ends.
#pragma once

#include "vmm/result/result.h"

namespace qm::seccomp {

// The exit code of a process that made a refused call (Firecracker's, so that tools know it).
inline constexpr int kViolationExit = 148;

// From here on one line on standard error names the thread's role and the call, in the log's format but without the
// time, and the process ends with kViolationExit: no destructor, no further call of any other kind.
Status endOnViolation();

}  // namespace qm::seccomp
