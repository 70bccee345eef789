#include "tests/attack/injected_call.h"

#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>

#include <charconv>
#include <filesystem>
#include <fstream>

#include "vmm/result/check.h"

namespace qm::test {

namespace {

// Stopped from the construction on until it is let go.
class StoppedThread {
 public:
  explicit StoppedThread(pid_t thread) : thread_(thread) {
    CHECK(::ptrace(PTRACE_SEIZE, thread_, nullptr, nullptr) == 0);
    CHECK(::ptrace(PTRACE_INTERRUPT, thread_, nullptr, nullptr) == 0);
    int status = 0;
    CHECK(::waitpid(thread_, &status, __WALL) == thread_ && WIFSTOPPED(status));
    CHECK(::ptrace(PTRACE_GETREGS, thread_, nullptr, &registers) == 0);
  }
  StoppedThread(const StoppedThread&) = delete;
  StoppedThread& operator=(const StoppedThread&) = delete;
  ~StoppedThread() {
    CHECK(::ptrace(PTRACE_SETREGS, thread_, nullptr, &registers) == 0);
    CHECK(::ptrace(PTRACE_DETACH, thread_, nullptr, nullptr) == 0);
  }

  user_regs_struct registers{};

 private:
  pid_t thread_;
};

// "syscall" has two bytes, and a thread that waits in one is right behind it. It may be awake now and then.
unsigned long long callInstructionOf(pid_t process) {
  for (;;) {
    const StoppedThread first(process);
    const unsigned long long before = first.registers.rip - 2;
    const long found = ::ptrace(PTRACE_PEEKTEXT, process, before, nullptr);
    if ((found & 0xffff) == 0x050f) return before;
  }
}

}  // namespace

std::vector<ThreadOfProcess> threadsOf(pid_t process) {
  std::vector<ThreadOfProcess> threads;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(process) + "/task")) {
    ThreadOfProcess thread;
    const std::string number = entry.path().filename();
    std::from_chars(number.data(), number.data() + number.size(), thread.id);
    std::ifstream name(entry.path() / "comm");
    std::getline(name, thread.name);
    threads.push_back(std::move(thread));
  }
  return threads;
}

void inject(pid_t process, pid_t thread, const InjectedCall& call) {
  const unsigned long long instruction = callInstructionOf(process);
  StoppedThread stopped(thread);
  stopped.registers.rip = instruction;
  stopped.registers.rax = static_cast<unsigned long long>(call.number);
  stopped.registers.orig_rax = ~0ULL;  // no call is left to go on with
  stopped.registers.rdi = call.arguments[0];
  stopped.registers.rsi = call.arguments[1];
  stopped.registers.rdx = call.arguments[2];
}

}  // namespace qm::test
