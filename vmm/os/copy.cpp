#include "vmm/os/copy.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <optional>
#include <string>

#include "vmm/os/wait.h"

namespace qm {

namespace {

// A failure on its way home: the remedy's number, then the sentence. Longer ones are cut.
constexpr std::size_t kToldBytes = 4096;  // PIPE_BUF: written in one piece

Result<std::pair<FileDescriptor, FileDescriptor>> closeOnExecPipe() {
  int ends[2] = {-1, -1};
  if (::pipe2(ends, O_CLOEXEC) < 0) return systemError("pipe2", errno);
  return std::pair(FileDescriptor(ends[0]), FileDescriptor(ends[1]));
}

void tell(const FileDescriptor& teller, const Error& error) {
  const std::string told = static_cast<char>(error.remedy()) + error.text().substr(0, kToldBytes - 1);
  // Nobody is left to hear that this failed.
  (void)writeAll(teller, std::as_bytes(std::span(told)));
}

[[noreturn]] void liveAsCopy(const CopiedWork& work, FileDescriptor teller) {
  const Status done = work(teller);
  if (!done.has_value()) tell(teller, done.error());
  ::_exit(done.has_value() ? 0 : 1);
}

// none: the pipe was closed without a word, by exec or by a good end.
std::optional<Error> hear(const FileDescriptor& listener, std::chrono::milliseconds limit) {
  std::array<std::byte, kToldBytes> told{};
  if (!waitReadable(listener, std::chrono::steady_clock::now() + limit).has_value()) {
    return Error(Remedy::retry, "a process did not get ready in " + std::to_string(limit.count()) + " ms");
  }
  const Result<std::size_t> count = readSome(listener, told);
  if (!count.has_value()) return count.error();
  if (*count == 0) return std::nullopt;
  const auto remedy = static_cast<Remedy>(told.front());
  return Error(remedy <= Remedy::giveUp ? remedy : Remedy::giveUp,
               std::string(reinterpret_cast<const char*>(told.data()) + 1, *count - 1));
}

}  // namespace

Result<Process> runInCopy(std::span<const Namespace> namespaces, const CopiedWork& work,
                          std::chrono::milliseconds limit, const FileDescriptor* cgroup) {
  auto [listener, teller] = TRY(closeOnExecPipe());
  ClonedProcess copy = TRY(cloneProcess(namespaces, cgroup));
  if (copy.pid == 0) liveAsCopy(work, std::move(teller));
  teller.close();
  Process process(copy.pid, std::move(copy.pidfd));
  std::optional<Error> failure = hear(listener, limit);
  if (!failure.has_value()) return process;
  (void)process.signal(SIGKILL);
  (void)process.reap();
  return std::move(*failure);
}

}  // namespace qm
