// The loop's thread: devices, and what the REST interface asks for: machines made and saved, files of the jail opened,
// threads of vCPUs started. It is the thread that may do most.
#include <fcntl.h>
#include <linux/if_tun.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>

#include "vmm/hypervisor/kvm/requests.h"
#include "vmm/seccomp/compiler/rule.h"

namespace qm::seccomp {

namespace {

Rules ioctls() {
  Rules rules = oneOf(SYS_ioctl, 1, {FIONBIO, TCGETS, TUNSETIFF, TUNSETVNETHDRSZ, TUNSETOFFLOAD});
  for (const std::uint32_t request : kvm::requestsOf(kvm::Caller::loop)) {
    rules.push_back({.call = SYS_ioctl, .tests = {is(1, request)}});
  }
  return rules;
}

// Names are the jail's own. No descriptor of a folder is ever used to look one up.
Rules files() {
  return together({
      {{.call = SYS_openat, .tests = {is(0, static_cast<std::uint64_t>(AT_FDCWD))}}},
      any({SYS_open, SYS_fstat, SYS_newfstatat, SYS_stat, SYS_lstat, SYS_statx, SYS_access, SYS_readlink}),
      any({SYS_lseek, SYS_pread64, SYS_pwrite64, SYS_preadv, SYS_pwritev, SYS_preadv2, SYS_pwritev2, SYS_readv}),
      any({SYS_fsync, SYS_fdatasync, SYS_ftruncate, SYS_fallocate, SYS_rename, SYS_unlink, SYS_mkdir, SYS_rmdir,
           SYS_getcwd, SYS_getdents64, SYS_fadvise64, SYS_copy_file_range}),
      oneOf(SYS_fcntl, 1,
            {F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_DUPFD_CLOEXEC, F_GET_SEALS, F_ADD_SEALS, F_OFD_SETLK, F_OFD_GETLK}),
      any({SYS_memfd_create}),
  });
}

// The vsock's host side, and nothing that leaves the machine.
Rules sockets() {
  return together({
      oneOf(SYS_socket, 0, {AF_UNIX}),
      any({SYS_bind, SYS_listen, SYS_connect, SYS_accept, SYS_accept4, SYS_getsockname, SYS_getpeername}),
      any({SYS_recvfrom, SYS_recvmsg, SYS_sendto, SYS_sendmsg, SYS_shutdown}),
      {{.call = SYS_getsockopt, .tests = {is(1, SOL_SOCKET)}}, {.call = SYS_setsockopt, .tests = {is(1, SOL_SOCKET)}}},
  });
}

// clone3's flags are behind a pointer, which no filter follows: the C library is made to use clone, whose flags are
// compared, so a new process or namespace cannot come of it.
Rules threads() {
  constexpr std::uint64_t kThread = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | CLONE_THREAD | CLONE_SYSVSEM |
                                    CLONE_SETTLS | CLONE_PARENT_SETTID | CLONE_CHILD_CLEARTID;
  return together({
      {{.call = SYS_clone3, .tests = {}, .answer = Answer::absent},
       {.call = SYS_clone, .tests = {is(0, kThread)}},
       {.call = SYS_seccomp, .tests = {is(0, SECCOMP_SET_MODE_FILTER), is(1, 0)}}},
      oneOf(SYS_prctl, 0, {PR_SET_NAME, PR_SET_NO_NEW_PRIVS}),
      any({SYS_set_robust_list, SYS_rseq, SYS_rt_sigaction, SYS_rt_sigtimedwait}),
  });
}

Rules waiting() {
  return any({SYS_epoll_wait, SYS_epoll_pwait, SYS_epoll_ctl, SYS_epoll_create1, SYS_poll, SYS_ppoll, SYS_eventfd2,
              SYS_timerfd_create});
}

}  // namespace

Rules loopRules() {
  return together({ioctls(), files(), sockets(), threads(), waiting()});
}

}  // namespace qm::seccomp
