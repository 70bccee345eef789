// What every thread does: memory, locks, time, its own signals, reading and writing what is open, its end.
#include <linux/futex.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>

#include "vmm/seccomp/compiler/rule.h"

namespace qm::seccomp {

namespace {

// No page that is executed is ever made or changed.
Rules memory() {
  return together({
      {{.call = SYS_mmap, .tests = {lacks(2, PROT_EXEC)}}, {.call = SYS_mprotect, .tests = {lacks(2, PROT_EXEC)}}},
      oneOf(SYS_madvise, 2,
            {MADV_DONTNEED, MADV_FREE, MADV_HUGEPAGE, MADV_NOHUGEPAGE, MADV_DONTDUMP, MADV_WILLNEED, MADV_POPULATE_READ,
             MADV_POPULATE_WRITE, MADV_RANDOM, MADV_SEQUENTIAL, MADV_COLD, MADV_DONTFORK}),
      any({SYS_brk, SYS_munmap, SYS_mremap, SYS_mincore, SYS_msync}),
  });
}

// Waiting and waking; no priority inheritance, which is the part of futex(2) with a history.
Rules locks() {
  constexpr std::uint64_t kOperation = kWholeInt & ~std::uint64_t{FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME};
  constexpr std::array<std::uint64_t, 7> kOperations{
      FUTEX_WAIT, FUTEX_WAKE, FUTEX_WAIT_BITSET, FUTEX_WAKE_BITSET, FUTEX_REQUEUE, FUTEX_CMP_REQUEUE, FUTEX_WAKE_OP};
  Rules rules;
  for (const std::uint64_t operation : kOperations) {
    rules.push_back({.call = SYS_futex, .tests = {{.argument = 1, .mask = kOperation, .value = operation}}});
  }
  return rules;
}

// SIGABRT to itself, and the kick of a vCPU's thread (hypervisor/kvm/kick_signal.h).
Rules signals() {
  return together({
      oneOf(SYS_tgkill, 2, {SIGABRT, static_cast<std::uint64_t>(SIGRTMIN)}),
      any({SYS_rt_sigreturn, SYS_rt_sigprocmask, SYS_getpid, SYS_gettid, SYS_restart_syscall}),
  });
}

}  // namespace

Rules commonRules() {
  return together({
      memory(),
      locks(),
      signals(),
      any({SYS_read, SYS_write, SYS_writev, SYS_close, SYS_exit, SYS_exit_group}),
      any({SYS_clock_gettime, SYS_gettimeofday, SYS_clock_getres, SYS_clock_nanosleep, SYS_sched_yield}),
      any({SYS_getrandom, SYS_sched_getaffinity, SYS_getcpu, SYS_getrusage, SYS_timerfd_settime}),
  });
}

}  // namespace qm::seccomp
