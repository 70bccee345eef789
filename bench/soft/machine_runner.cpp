#include "bench/soft/machine_runner.h"

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "vmm/os/piped_child.h"
#include "vmm/os/wait.h"

namespace qm::bench {

namespace {

// A slow CPU's longest computation, its program's start included.
constexpr std::chrono::minutes kLongest{5};

std::string textOf(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Error failed(const Computation& computation, std::string_view said) {
  return Error(Remedy::giveUp, fmt::format("{} failed: {}", computation.name, said));
}

}  // namespace

Result<std::string> HostRunner::run(const Computation& computation) {
  const std::vector<std::string>& argv = computation.onHost;
  const PipedChild child =
      TRY(startPiped({.executables = {argv.front()}, .argv = argv, .env = {}, .folder = "/", .credentials = {}}));
  std::string text;
  for (;;) {
    TRY(waitReadable(child.out, Clock::now() + kLongest));
    std::array<std::byte, 256> bytes{};
    const std::size_t count = TRY(readSome(child.out, bytes));
    if (count == 0) break;
    text.append(reinterpret_cast<const char*>(bytes.data()), count);
  }
  if (child.process.reap() != ProcessEnd{}) return failed(computation, text);
  return text;
}

Result<std::string> GuestRunner::run(const Computation& computation) {
  constexpr std::uint64_t kOutputLimit = 65'536;
  const agent::Ran ran = TRY(guest_->run(
      {.argv = computation.inGuest, .env = {}, .cwd = "/", .outputLimit = kOutputLimit}, Clock::now() + kLongest));
  if (ran.exitCode != 0 || ran.signal != 0) return failed(computation, textOf(ran.err));
  return textOf(ran.out);
}

}  // namespace qm::bench
