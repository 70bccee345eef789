#include "vmm/hypervisor/kvm/kick_signal.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>

namespace qm::kvm {

namespace {

void arrive(int /*signal*/) {}

}  // namespace

Status installKickSignal() {
  struct sigaction action{};
  action.sa_handler = arrive;  // no SA_RESTART: KVM_RUN must return
  if (::sigaction(SIGRTMIN, &action, nullptr) < 0) return systemError("sigaction", errno);
  return {};
}

void sendKickSignal(pid_t thread) {
  ::syscall(SYS_tgkill, ::getpid(), thread, SIGRTMIN);
}

pid_t currentThread() {
  return static_cast<pid_t>(::syscall(SYS_gettid));
}

}  // namespace qm::kvm
