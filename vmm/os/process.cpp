#include "vmm/os/process.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <climits>
#include <string_view>

#include "vmm/result/check.h"

namespace qm {

namespace {

// posix_spawn's two option objects, which must be destroyed.
class SpawnOptions {
 public:
  SpawnOptions() {
    CHECK(::posix_spawn_file_actions_init(&actions_) == 0);
    CHECK(::posix_spawnattr_init(&attributes_) == 0);
  }
  SpawnOptions(const SpawnOptions&) = delete;
  SpawnOptions& operator=(const SpawnOptions&) = delete;
  ~SpawnOptions() {
    ::posix_spawn_file_actions_destroy(&actions_);
    ::posix_spawnattr_destroy(&attributes_);
  }

  void redirect(const std::string& output) {
    CHECK(::posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0) == 0);
    if (output.empty()) return;
    CHECK(::posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, output.c_str(), O_WRONLY | O_CREAT | O_APPEND,
                                             0600) == 0);
    CHECK(::posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO) == 0);
  }

  // Once output is opened: a relative name of it is in our folder.
  void changeFolder(const std::string& folder) {
    CHECK(::posix_spawn_file_actions_addchdir_np(&actions_, folder.c_str()) == 0);
  }

  // One given as its own number loses close-on-exec, too (POSIX.1-2024). In order: a number that a later one has as
  // ours would be overwritten, which is the caller's to avoid.
  void give(const GivenDescriptor& given) {
    CHECK(::posix_spawn_file_actions_adddup2(&actions_, given.ours, given.number) == 0);
  }

  void freshSessionAndSignals() {
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    CHECK(::posix_spawnattr_setsigmask(&attributes_, &none) == 0);
    CHECK(::posix_spawnattr_setsigdefault(&attributes_, &all) == 0);
    CHECK(::posix_spawnattr_setflags(&attributes_,
                                     POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF) == 0);
  }

  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

Result<FileDescriptor> openPidfd(pid_t pid) {
  FileDescriptor file(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0U)));
  if (!file.isOpen()) {
    const Remedy remedy = errno == ESRCH ? Remedy::fixInput : Remedy::giveUp;
    return systemError(remedy, "pidfd_open " + std::to_string(pid), errno);
  }
  return file;
}

ProcessEnd endOf(const siginfo_t& info) {
  if (info.si_code == CLD_EXITED) return {.code = info.si_status};
  return {.signal = info.si_status};
}

}  // namespace

Result<Process> Process::start(const StartPlan& plan) {
  SpawnOptions options;
  options.redirect(plan.output.native());
  if (!plan.folder.empty()) options.changeFolder(plan.folder.native());
  for (const GivenDescriptor& given : plan.descriptors) options.give(given);
  options.freshSessionAndSignals();
  std::vector<std::string> words{plan.executable.native()};
  words.insert(words.end(), plan.arguments.begin(), plan.arguments.end());
  std::vector<char*> argv;
  argv.reserve(words.size() + 1);
  for (std::string& word : words) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t pid = -1;
  const int failure =
      ::posix_spawn(&pid, plan.executable.c_str(), options.actions(), options.attributes(), argv.data(), ::environ);
  if (failure != 0) {
    const bool named = failure == ENOENT || failure == EACCES || failure == ENOEXEC || failure == ENOTDIR;
    if (named) return systemError(Remedy::fixInput, "starting " + plan.executable.string(), failure);
    return systemError("starting " + plan.executable.string(), failure);
  }
  // The child is not reaped before this, so the number still means it.
  FileDescriptor descriptor = TRY(openPidfd(pid));
  return Process(pid, std::move(descriptor));
}

Result<Process> Process::find(pid_t pid) {
  FileDescriptor descriptor = TRY(openPidfd(pid));
  return Process(pid, std::move(descriptor));
}

Status Process::signal(int number) const {
  if (::syscall(SYS_pidfd_send_signal, descriptor_.get(), number, nullptr, 0U) == 0 || errno == ESRCH) return {};
  return systemError("sending signal " + std::to_string(number) + " to process " + std::to_string(pid_), errno);
}

// The number of a process's clock is made of its pid (clock_getcpuclockid(3), which asks the kernel once more): bits of
// the complement from 3 on, and 2 for all the time in which its threads ran.
std::optional<std::chrono::nanoseconds> Process::cpuTime() const {
  constexpr unsigned kRunTime = 2, kPidShift = 3;
  const auto clock = static_cast<clockid_t>(~static_cast<unsigned>(pid_) << kPidShift | kRunTime);
  timespec time{};
  if (::clock_gettime(clock, &time) < 0) return std::nullopt;
  return std::chrono::seconds(time.tv_sec) + std::chrono::nanoseconds(time.tv_nsec);
}

bool Process::waitForEnd(std::chrono::steady_clock::time_point deadline) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now()).count();
    pollfd event{.fd = descriptor_.get(), .events = POLLIN, .revents = 0};
    const int found = ::poll(&event, 1, static_cast<int>(std::clamp<long>(left, 0, INT_MAX)));
    if (found > 0) return true;
    if (found == 0 && left <= INT_MAX) return false;
    CHECK(found == 0 || errno == EINTR);
  }
}

std::optional<ProcessEnd> Process::reap() const {
  siginfo_t info{};
  while (::waitid(P_PIDFD, static_cast<id_t>(descriptor_.get()), &info, WEXITED) < 0) {
    if (errno != EINTR) return std::nullopt;
  }
  return endOf(info);
}

Result<std::optional<ProcessEnd>> reapIfEnded(pid_t pid) {
  siginfo_t info{};
  while (::waitid(P_PID, static_cast<id_t>(pid), &info, WEXITED | WNOHANG) < 0) {
    if (errno != EINTR) return systemError(Remedy::fixInput, "waitid " + std::to_string(pid), errno);
  }
  if (info.si_pid == 0) return std::optional<ProcessEnd>();
  return std::optional(endOf(info));
}

Result<std::uint64_t> processStartTicks(pid_t pid) {
  const std::string path = "/proc/" + std::to_string(pid) + "/stat";
  const std::string stat = TRY(readKernelFile(path));
  std::string_view text = stat;
  // The second field, the program's name in parentheses, may hold anything, ')' and blanks included; field 3 follows
  // the last ')'.
  const Error unexpected(Remedy::giveUp, path + " has not the fields of proc(5)");
  const std::size_t name = text.rfind(") ");
  if (name == std::string_view::npos) return unexpected;
  text.remove_prefix(name + 2);
  constexpr int kFieldsBetween = 19;  // fields 3 to 21
  for (int field = 0; field < kFieldsBetween; ++field) {
    const std::size_t blank = text.find(' ');
    if (blank == std::string_view::npos) return unexpected;
    text.remove_prefix(blank + 1);
  }
  std::uint64_t ticks = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), ticks).ec != std::errc()) return unexpected;
  return ticks;
}

}  // namespace qm
