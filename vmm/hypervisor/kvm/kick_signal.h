// The signal that makes a vCPU thread leave KVM_RUN. Its handler does nothing: arriving is all it is for.
#pragma once

#include <signal.h>
#include <sys/types.h>

#include "vmm/result/result.h"

namespace qm::kvm {

// Once in a process or more often, any thread.
Status installKickSignal();
// To a thread of this process; one that has ended is no error.
void sendKickSignal(pid_t thread);
// Of the calling thread.
pid_t currentThread();

// While it lives, the signal waits for the calling thread, which blocks it: a system call whose own mask lets it in
// finds it pending.
class WaitingKick {
 public:
  WaitingKick();
  WaitingKick(const WaitingKick&) = delete;
  WaitingKick& operator=(const WaitingKick&) = delete;
  ~WaitingKick();

  // The thread's mask, with the signal let in.
  const sigset_t& maskThatLetsItIn() const { return letIn_; }

 private:
  sigset_t before_{}, letIn_{};
};

}  // namespace qm::kvm
