#include "vmm/os/standard_streams.h"

#include <unistd.h>

#include <cerrno>
#include <string>

namespace qm {

namespace {

int numberOf(StandardStream stream) {
  switch (stream) {
    case StandardStream::input:
      return STDIN_FILENO;
    case StandardStream::output:
      return STDOUT_FILENO;
    case StandardStream::error:
      return STDERR_FILENO;
  }
  return STDERR_FILENO;
}

}  // namespace

bool isTerminal(StandardStream stream) {
  return ::isatty(numberOf(stream)) == 1;
}

Result<std::vector<std::byte>> readStandardInput(std::size_t limit) {
  constexpr std::size_t kStep = 65'536;
  std::vector<std::byte> bytes;
  for (;;) {
    const std::size_t filled = bytes.size();
    bytes.resize(filled + kStep);
    const ssize_t count = ::read(STDIN_FILENO, bytes.data() + filled, kStep);
    bytes.resize(filled + static_cast<std::size_t>(count > 0 ? count : 0));
    if (bytes.size() > limit) {
      return Error(Remedy::fixInput, "standard input has more than " + std::to_string(limit) + " bytes");
    }
    if (count > 0 || (count < 0 && errno == EINTR)) continue;
    if (count < 0 && errno != EBADF) return systemError("reading standard input", errno);
    return bytes;
  }
}

void writeStandard(StandardStream stream, std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t count = ::write(numberOf(stream), bytes.data(), bytes.size());
    if (count < 0 && errno != EINTR) return;
    if (count > 0) bytes = bytes.subspan(static_cast<std::size_t>(count));
  }
}

void emptyStandard(StandardStream stream) {
  // A terminal or a pipe refuses, and holds nothing to be emptied.
  static_cast<void>(::ftruncate(numberOf(stream), 0) == 0);
}

}  // namespace qm
