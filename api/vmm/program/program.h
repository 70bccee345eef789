// The running VMM: the event loop on a thread of its own, the API on the caller's, the vCPUs on theirs.
//
// How it ends: the guest's end, SIGTERM or SIGINT decide the exit code on the loop's thread and stop the API. The loop
// goes on until the API's thread has left its last request, which may wait for the loop; then the loop stops, and
// devices and sockets go.
//
// Each thread makes only the system calls that its role needs (vmm/seccomp) from before the first request on.
#pragma once

#include "api/vmm/program/options.h"
#include "vmm/log/log.h"
#include "vmm/result/result.h"

namespace qm::vmm {

// Runs until the guest ends or a signal ends it; the exit code. Blocks SIGTERM and SIGINT, so no other thread may run
// yet. An error: the program could not start.
Result<int> runProgram(const Options& options, const Log& log);

}  // namespace qm::vmm
