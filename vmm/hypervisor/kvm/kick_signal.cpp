#include "vmm/hypervisor/kvm/kick_signal.h"

#include <signal.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "vmm/result/check.h"

namespace qm::kvm {

namespace {

void arrive(int /*signal*/) {}

sigset_t onlyKick() {
  sigset_t set{};
  ::sigemptyset(&set);
  ::sigaddset(&set, SIGRTMIN);
  return set;
}

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

WaitingKick::WaitingKick() {
  const sigset_t kick = onlyKick();
  CHECK(::pthread_sigmask(SIG_BLOCK, &kick, &before_) == 0);
  letIn_ = before_;
  ::sigdelset(&letIn_, SIGRTMIN);
  sendKickSignal(currentThread());
}

WaitingKick::~WaitingKick() {
  const sigset_t kick = onlyKick();
  const timespec now{};
  while (::sigtimedwait(&kick, nullptr, &now) > 0) {
  }
  CHECK(::pthread_sigmask(SIG_SETMASK, &before_, nullptr) == 0);
}

}  // namespace qm::kvm
