// The signal that makes a vCPU thread leave KVM_RUN. Its handler does nothing: arriving is all it is for.
#pragma once

#include <sys/types.h>

#include "vmm/result/result.h"

namespace qm::kvm {

// Once in a process or more often, any thread.
Status installKickSignal();
// To a thread of this process; one that has ended is no error.
void sendKickSignal(pid_t thread);
// Of the calling thread.
pid_t currentThread();

}  // namespace qm::kvm
