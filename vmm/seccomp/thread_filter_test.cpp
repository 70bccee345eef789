// Each forbidden call is tried for real, in a copy of this process.
#include "vmm/seccomp/thread_filter.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>

#include <gtest/gtest.h>

#include "vmm/seccomp/compiled.h"
#include "vmm/seccomp/violation.h"

namespace qm::seccomp {
namespace {

using testing::ExitedWithCode;

class ThreadFilter : public testing::Test {
 protected:
  void SetUp() override {
    if (isBuiltWithSanitizer()) GTEST_SKIP() << "a build with a sanitizer has no filters";
  }
};

// The rest of this process: as `role` at `level` it makes the call, and ends with 0 if it comes back.
template <class... Arguments>
[[noreturn]] void tryCall(ThreadRole role, Level level, long number, Arguments... arguments) {
  // A vCPU's thread is started by the loop's.
  const bool ready = endOnViolation().has_value() &&
                     (role != ThreadRole::vcpu || restrictThread(ThreadRole::loop, level).has_value()) &&
                     restrictThread(role, level).has_value();
  if (!ready) ::_exit(1);
  ::syscall(number, arguments...);
  ::_exit(0);
}

constexpr std::array kAll{ThreadRole::api, ThreadRole::loop, ThreadRole::vcpu};

std::string refusal(ThreadRole role, const char* call) {
  return "error seccomp.refused thread=" + std::string(nameOf(role)) + " call=" + call;
}

TEST_F(ThreadFilter, ForbiddenCallsEndTheProcessAndAreNamedFromEachThread) {
  struct Forbidden {
    long number;
    const char* name;
  };
  for (const Forbidden call : {Forbidden{SYS_execve, "execve"},
                               {SYS_fork, "fork"},
                               {SYS_ptrace, "ptrace"},
                               {SYS_kill, "kill"},
                               {SYS_mount, "mount"},
                               {SYS_unshare, "unshare"},
                               {SYS_bpf, "bpf"},
                               {SYS_io_uring_setup, "io_uring_setup"},
                               {SYS_process_vm_writev, "process_vm_writev"},
                               {SYS_setuid, "setuid"},
                               {SYS_keyctl, "keyctl"},
                               {SYS_userfaultfd, "userfaultfd"},
                               {SYS_perf_event_open, "perf_event_open"},
                               {SYS_shmget, "shmget"}}) {
    for (const ThreadRole role : kAll) {
      for (const Level level : {Level::calls, Level::arguments}) {
        EXPECT_EXIT(tryCall(role, level, call.number, 0, 0, 0), ExitedWithCode(kViolationExit),
                    refusal(role, call.name));
      }
    }
  }
}

TEST_F(ThreadFilter, OnlyTheLoopOpensAndConnects) {
  for (const ThreadRole role : {ThreadRole::api, ThreadRole::vcpu}) {
    EXPECT_EXIT(tryCall(role, Level::calls, SYS_openat, AT_FDCWD, "/", O_RDONLY), ExitedWithCode(kViolationExit),
                refusal(role, "openat"));
    EXPECT_EXIT(tryCall(role, Level::calls, SYS_socket, AF_UNIX, SOCK_STREAM, 0), ExitedWithCode(kViolationExit),
                refusal(role, "socket"));
  }
  EXPECT_EXIT(tryCall(ThreadRole::loop, Level::arguments, SYS_openat, AT_FDCWD, "/", O_RDONLY), ExitedWithCode(0), "");
  EXPECT_EXIT(tryCall(ThreadRole::loop, Level::arguments, SYS_socket, AF_UNIX, SOCK_STREAM, 0), ExitedWithCode(0), "");
}

TEST_F(ThreadFilter, ArgumentsMatterAtTheSecondLevelOnly) {
  EXPECT_EXIT(tryCall(ThreadRole::loop, Level::calls, SYS_socket, AF_INET, SOCK_STREAM, 0), ExitedWithCode(0), "");
  EXPECT_EXIT(tryCall(ThreadRole::loop, Level::arguments, SYS_socket, AF_INET, SOCK_STREAM, 0),
              ExitedWithCode(kViolationExit), refusal(ThreadRole::loop, "socket"));
}

TEST_F(ThreadFilter, NoThreadGetsAPageThatItCanExecute) {
  for (const ThreadRole role : kAll) {
    EXPECT_EXIT(tryCall(role, Level::arguments, SYS_mmap, nullptr, 4096, PROT_READ | PROT_EXEC,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                ExitedWithCode(kViolationExit), refusal(role, "mmap"));
    EXPECT_EXIT(tryCall(role, Level::arguments, SYS_mmap, nullptr, 4096, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS, -1, 0),
                ExitedWithCode(0), "");
    EXPECT_EXIT(tryCall(role, Level::arguments, SYS_mprotect, nullptr, 4096, PROT_EXEC), ExitedWithCode(kViolationExit),
                refusal(role, "mprotect"));
  }
}

TEST_F(ThreadFilter, NoThreadSendsASignalThatIsNotItsOwn) {
  for (const ThreadRole role : kAll) {
    EXPECT_EXIT(tryCall(role, Level::arguments, SYS_tgkill, ::getppid(), ::getppid(), SIGKILL),
                ExitedWithCode(kViolationExit), refusal(role, "tgkill"));
  }
}

TEST_F(ThreadFilter, OnlyTheLoopStartsThreadsAndNobodyAProcess) {
  EXPECT_EXIT(tryCall(ThreadRole::loop, Level::arguments, SYS_clone, SIGCHLD, 0, 0, 0, 0),
              ExitedWithCode(kViolationExit), refusal(ThreadRole::loop, "clone"));
  EXPECT_EXIT(tryCall(ThreadRole::api, Level::calls, SYS_clone, CLONE_VM | CLONE_THREAD, 0, 0, 0, 0),
              ExitedWithCode(kViolationExit), refusal(ThreadRole::api, "clone"));
  EXPECT_EXIT(
      {
        if (!restrictThread(ThreadRole::loop, Level::arguments).has_value()) ::_exit(1);
        ::_exit(::syscall(SYS_clone3, nullptr, 0) < 0 && errno == ENOSYS ? 0 : 2);
      },
      ExitedWithCode(0), "");
}

TEST_F(ThreadFilter, ADeviceIsAskedForNothingButWhatAVcpuNeeds) {
  constexpr unsigned int kCreateVm = 0xae01;  // KVM_CREATE_VM
  EXPECT_EXIT(tryCall(ThreadRole::vcpu, Level::arguments, SYS_ioctl, -1, kCreateVm, 0), ExitedWithCode(kViolationExit),
              refusal(ThreadRole::vcpu, "ioctl"));
  EXPECT_EXIT(tryCall(ThreadRole::loop, Level::arguments, SYS_ioctl, -1, kCreateVm, 0), ExitedWithCode(0), "");
  constexpr unsigned int kRun = 0xae80;  // KVM_RUN
  EXPECT_EXIT(tryCall(ThreadRole::vcpu, Level::arguments, SYS_ioctl, -1, kRun, 0), ExitedWithCode(0), "");
}

// A guest may end while one of its devices holds a line, and it is the thread of the REST interface that takes it
// apart.
TEST_F(ThreadFilter, WhoTakesAMachineApartMayLowerItsLines) {
  constexpr unsigned int kIrqLine = 0x4008ae61;  // KVM_IRQ_LINE
  EXPECT_EXIT(tryCall(ThreadRole::api, Level::arguments, SYS_ioctl, -1, kIrqLine, 0), ExitedWithCode(0), "");
}

TEST_F(ThreadFilter, AnotherArchitecturesCallIsAViolation) {
  constexpr long kX32 = 0x4000'0000;
  EXPECT_EXIT(tryCall(ThreadRole::loop, Level::calls, kX32 | SYS_read, 0, 0, 0), ExitedWithCode(kViolationExit),
              "thread=loop call=1073741824");
}

TEST_F(ThreadFilter, OffChangesNothing) {
  EXPECT_EXIT(tryCall(ThreadRole::vcpu, Level::off, SYS_getppid), ExitedWithCode(0), "");
}

TEST(SeccompLevel, WordsAreTheThreeNumbers) {
  EXPECT_EQ(levelNamed("0").value(), Level::off);
  EXPECT_EQ(levelNamed("3").error().text(), "there is no seccomp level \"3\"; there are 0, 1 and 2");
  EXPECT_EQ(levelNamed("2").has_value(), !isBuiltWithSanitizer());
}

TEST(SeccompCallName, NumbersThatNoCallHasHaveNone) {
  EXPECT_EQ(callName(SYS_openat), "openat");
  EXPECT_EQ(callName(-1), "");
  EXPECT_EQ(callName(1'000'000), "");
}

}  // namespace
}  // namespace qm::seccomp
