#include "vmm/os/piped_child.h"

#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <string_view>

#include "vmm/result/check.h"

namespace qm {

namespace {

struct Pipe {
  FileDescriptor readEnd;
  FileDescriptor writeEnd;
};

Result<Pipe> createPipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) < 0) return systemError("pipe", errno);
  return Pipe{.readEnd = FileDescriptor(ends[0]), .writeEnd = FileDescriptor(ends[1])};
}

std::vector<char*> pointersTo(const std::vector<std::string>& words) {
  std::vector<char*> pointers;
  pointers.reserve(words.size() + 1);
  // execve(2) takes pointers to mutable characters and does not change them.
  for (const std::string& word : words) pointers.push_back(const_cast<char*>(word.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

enum class Step : unsigned char { none, streams, session, user, folder, program };

// What the child tells its parent through the memory that they share until it has become the program.
struct Failure {
  volatile Step step = Step::none;
  volatile int reason = 0;
};

// All that the child uses, made before it exists: between vfork and exec it may call the kernel, and nothing else.
struct Prepared {
  std::array<int, 3> streams{};
  std::vector<char*> executables;
  std::vector<char*> argv;
  std::vector<char*> env;
  const char* folder = nullptr;
  const Credentials* credentials = nullptr;
};

[[noreturn]] void fail(Failure& failure, Step step) {
  failure.reason = errno;
  failure.step = step;
  ::_exit(127);
}

void setAction(int number, void (*action)(int)) {
  struct sigaction wanted{};
  wanted.sa_handler = action;
  ::sigaction(number, &wanted, nullptr);
}

// Exec itself forgets handlers, but keeps what is ignored: asking the kernel for all 64 signals would be more than half
// of what comes before exec.
void resetSignals() {
  setAction(SIGPIPE, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
}

// The system calls themselves: the library's wrappers would change the ids of all our threads.
bool become(const Credentials& credentials) {
  return ::syscall(SYS_setgroups, credentials.groups.size(), credentials.groups.data()) == 0 &&
         ::syscall(SYS_setresgid, credentials.group, credentials.group, credentials.group) == 0 &&
         ::syscall(SYS_setresuid, credentials.user, credentials.user, credentials.user) == 0;
}

[[noreturn]] void runChild(const Prepared& prepared, Failure& failure) {
  for (int number = 0; number < 3; ++number) {
    if (::dup2(prepared.streams[static_cast<std::size_t>(number)], number) < 0) fail(failure, Step::streams);
  }
  if (::setsid() < 0) fail(failure, Step::session);
  resetSignals();
  if (prepared.credentials != nullptr && !become(*prepared.credentials)) fail(failure, Step::user);
  if (::chdir(prepared.folder) < 0) fail(failure, Step::folder);
  int reason = ENOENT;
  for (char* const executable : prepared.executables) {
    if (executable == nullptr) break;
    ::execve(executable, prepared.argv.data(), prepared.env.data());
    // As execvp(3): a file that may not be run is remembered, one that is not there is not.
    if (errno != ENOENT && errno != ENOTDIR) reason = errno;
    if (errno != ENOENT && errno != ENOTDIR && errno != EACCES) break;
  }
  errno = reason;
  fail(failure, Step::program);
}

// vfork: the child runs in our memory, on our stack, and this thread waits until it is done with both.
pid_t startChild(const Prepared& prepared, Failure& failure) {
  // posix_spawn(3) cannot change users, nor say which step failed.
  const pid_t pid = ::vfork();  // NOLINT(clang-analyzer-security.insecureAPI.vfork,bugprone-unsafe-functions)
  if (pid == 0) runChild(prepared, failure);  // NOLINT(clang-analyzer-unix.Vfork)
  return pid;
}

Error errorOf(const PipedPlan& plan, Step step, int reason) {
  switch (step) {
    case Step::program:
      return systemError(Remedy::fixInput, "starting " + plan.argv.front(), reason);
    case Step::folder:
      return systemError(Remedy::fixInput, "entering " + plan.folder, reason);
    case Step::user:
      return systemError("changing the user", reason);
    case Step::none:
    case Step::streams:
    case Step::session:
      break;
  }
  return systemError("starting a child", reason);
}

Result<Process> takeChild(pid_t pid) {
  auto process = Process::find(pid);
  if (!process.has_value()) {
    // Without a descriptor nobody would ever reap it.
    ::kill(pid, SIGKILL);
    ::waitpid(pid, nullptr, 0);
  }
  return process;
}

}  // namespace

Result<PipedChild> startPiped(const PipedPlan& plan) {
  CHECK(!plan.argv.empty());
  Pipe in = TRY(createPipe());
  Pipe out = TRY(createPipe());
  Pipe err = TRY(createPipe());
  // Else a dup2 would close another's end; a process without standard streams does not start others.
  CHECK(in.readEnd.get() > STDERR_FILENO);
  TRY(setNonBlocking(in.writeEnd));
  TRY(setNonBlocking(out.readEnd));
  TRY(setNonBlocking(err.readEnd));
  const Prepared prepared{.streams = {in.readEnd.get(), out.writeEnd.get(), err.writeEnd.get()},
                          .executables = pointersTo(plan.executables),
                          .argv = pointersTo(plan.argv),
                          .env = pointersTo(plan.env),
                          .folder = plan.folder.c_str(),
                          .credentials = plan.credentials.has_value() ? &*plan.credentials : nullptr};
  Failure failure;
  const pid_t pid = startChild(prepared, failure);
  if (pid < 0) return systemError("vfork", errno);
  if (failure.step != Step::none) {
    ::waitpid(pid, nullptr, 0);
    return errorOf(plan, failure.step, failure.reason);
  }
  Process process = TRY(takeChild(pid));
  return PipedChild{.process = std::move(process),
                    .in = std::move(in.writeEnd),
                    .out = std::move(out.readEnd),
                    .err = std::move(err.readEnd)};
}

void killGroup(pid_t group) {
  CHECK(group > 1);
  ::kill(-group, SIGKILL);
}

void ignoreBrokenPipes() {
  setAction(SIGPIPE, SIG_IGN);
}

void forgetInheritedSignals() {
  for (int number = 1; number < NSIG; ++number) setAction(number, SIG_DFL);
}

}  // namespace qm
