// The thread of the REST interface: connections of a socket that listens, and the process's end, when it takes the
// machine apart.
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "vmm/hypervisor/kvm/requests.h"
#include "vmm/seccomp/compiler/rule.h"

namespace qm::seccomp {

namespace {

Rules ioctls() {
  Rules rules = oneOf(SYS_ioctl, 1, {FIONBIO});
  for (const std::uint32_t request : kvm::requestsOf(kvm::Caller::undoing)) {
    rules.push_back({.call = SYS_ioctl, .tests = {is(1, request)}});
  }
  return rules;
}

}  // namespace

Rules apiRules() {
  return together({
      ioctls(),
      any({SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_ctl, SYS_poll, SYS_ppoll}),
      any({SYS_accept, SYS_accept4, SYS_recvfrom, SYS_recvmsg, SYS_sendto, SYS_sendmsg, SYS_shutdown, SYS_readv}),
      {{.call = SYS_getsockopt, .tests = {is(1, SOL_SOCKET)}}, {.call = SYS_setsockopt, .tests = {is(1, SOL_SOCKET)}}},
      oneOf(SYS_fcntl, 1, {F_GETFL, F_SETFL, F_GETFD, F_SETFD, F_GET_SEALS}),
      any({SYS_fstat, SYS_unlink}),
      {{.call = SYS_newfstatat, .tests = {}}},
  });
}

}  // namespace qm::seccomp
