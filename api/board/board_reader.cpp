#include "api/board/board_reader.h"

#include <atomic>
#include <cstring>
#include <memory>
#include <string>
#include <thread>

#include "api/board/board_fields.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/mapping.h"
#include "vmm/os/process.h"

namespace qm::board {

namespace {

using std::chrono::steady_clock;

// Longer than a daemon that has much to do leaves it.
constexpr auto kStandsStill = 5 * kPeriod;
constexpr int kTries = 100;

const Cell& headCell(const Mapping& mapping, std::size_t offset) {
  return reinterpret_cast<const Cell*>(mapping.bytes().data())[offset / sizeof(Cell)];
}

// False: it changed meanwhile.
bool copyOnce(const Mapping& mapping, Contents& contents) {
  const Cell& sequence = headCell(mapping, offsetof(Head, sequence));
  const std::uint64_t before = sequence.load(std::memory_order_acquire);
  if (before % 2 != 0) return false;
  const auto* const cells = reinterpret_cast<const Cell*>(mapping.bytes().data()) + kHeadWords;
  auto* const bytes = reinterpret_cast<std::byte*>(&contents);
  for (std::size_t i = 0; i < kContentWords; ++i) {
    const std::uint64_t word = cells[i].load(std::memory_order_relaxed);
    std::memcpy(bytes + i * sizeof word, &word, sizeof word);
  }
  std::atomic_thread_fence(std::memory_order_acquire);
  return sequence.load(std::memory_order_relaxed) == before;
}

// A process that has ended stays in the table until its parent has asked how (proc(5), /proc/PID/stat, field 3).
bool hasEnded(pid_t pid) {
  const Result<std::string> stat = readKernelFile("/proc/" + std::to_string(pid) + "/stat");
  if (!stat.has_value()) return true;
  const std::size_t name = stat->rfind(") ");
  return name == std::string::npos || stat->substr(name + 2, 1).find_first_of("ZX") == 0;
}

bool isAlive(const Writer& writer) {
  if (hasEnded(static_cast<pid_t>(writer.pid))) return false;
  const Result<std::uint64_t> ticks = processStartTicks(static_cast<pid_t>(writer.pid));
  return ticks.has_value() && *ticks == writer.startTicks;
}

Result<Mapping> mapBoard(const std::filesystem::path& file) {
  const FileDescriptor opened = TRY(openFile(file, OpenMode::read).during("is a daemon running? no board"));
  const Error foreign(Remedy::fixInput, file.string() + " is no board of this version; use programs of one build");
  // A daemon never changes the size of one, so that what is mapped stays there.
  if (TRY(fileBytes(opened)) != kFileBytes) return foreign;
  Mapping mapping = TRY(Mapping::ofFile(opened, 0, kFileBytes, Sharing::shared, Access::readOnly));
  if (headCell(mapping, offsetof(Head, magic)).load() != kMagic ||
      headCell(mapping, offsetof(Head, version)).load() != kVersion) {
    return foreign;
  }
  return mapping;
}

}  // namespace

std::string_view name(Liveness liveness) {
  switch (liveness) {
    case Liveness::serving:
      return "serving";
    case Liveness::stuck:
      return "stuck";
    case Liveness::died:
      return "died";
  }
  return "unknown";
}

Result<Look> lookAtBoard(const std::filesystem::path& file) {
  const Mapping mapping = TRY(mapBoard(file));
  const auto contents = std::make_unique<Contents>();
  int tries = 0;
  while (!copyOnce(mapping, *contents)) {
    if (++tries == kTries) return Error(Remedy::retry, file.string() + " is being written");
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  Look look{.board = load(*contents)};
  const auto now = static_cast<std::uint64_t>(steady_clock::now().time_since_epoch().count());
  const std::uint64_t beat = headCell(mapping, offsetof(Head, heartbeatNs)).load();
  // One from before the host was started anew may lie ahead.
  const std::chrono::nanoseconds since(beat <= now ? now - beat : 0);
  look.sinceHeartbeat = std::chrono::duration_cast<std::chrono::milliseconds>(since);
  if (!isAlive(look.board.writer)) {
    look.liveness = Liveness::died;
  } else if (since > kStandsStill) {
    look.liveness = Liveness::stuck;
  }
  return look;
}

}  // namespace qm::board
