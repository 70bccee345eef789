#include "vmm/guest/system/port.h"

#include <signal.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdint>

#include "vmm/os/unix_socket.h"

namespace qm::guest {

namespace {

// Between two looks at a device that is not there, or that no host holds.
void pause() {
  constexpr timespec kMillisecond{.tv_sec = 0, .tv_nsec = 1'000'000};
  ::nanosleep(&kMillisecond, nullptr);
}

enum class AtEnd : std::uint8_t { stop, wait };

// Until the source fails, or ends for good, or the sink takes no more.
void pump(const FileDescriptor& from, const FileDescriptor& to, AtEnd atEnd) {
  std::array<std::byte, 4096> bytes{};
  for (;;) {
    const Result<std::size_t> count = readSome(from, bytes);
    if (!count.has_value() || (*count == 0 && atEnd == AtEnd::stop)) return;
    if (*count == 0) {
      pause();
    } else if (!writeAll(to, std::span(bytes).first(*count)).has_value()) {
      return;
    }
  }
}

// Whoever carries bytes for a process ends with it, also if it has ended already.
void endWith(pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(0);
}

[[noreturn]] void relay(const std::string& device, const FileDescriptor& stream, pid_t parent) {
  endWith(parent);
  // The console's driver makes the node after the host told it of the port, which may be later than init.
  Result<FileDescriptor> port = openFile(device, OpenMode::readWrite);
  for (; !port.has_value(); port = openFile(device, OpenMode::readWrite)) pause();
  const pid_t self = ::getpid();
  if (::fork() == 0) {
    endWith(self);
    pump(*port, stream, AtEnd::wait);
  } else {
    pump(stream, *port, AtEnd::stop);
  }
  ::_exit(0);
}

}  // namespace

Result<FileDescriptor> relayPort(const std::string& device) {
  auto [agents, ports] = TRY(unixSocketPair());
  const pid_t self = ::getpid();
  const pid_t child = ::fork();
  if (child < 0) return systemError("fork", errno);
  if (child == 0) {
    agents.close();
    relay(device, ports, self);
  }
  TRY(setNonBlocking(agents));
  return std::move(agents);
}

}  // namespace qm::guest
