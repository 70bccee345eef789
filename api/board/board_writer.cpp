#include "api/board/board_writer.h"

#include <unistd.h>

#include <chrono>
#include <cstring>
#include <system_error>
#include <utility>

#include "vmm/os/file_descriptor.h"
#include "vmm/os/process.h"

namespace qm::board {

namespace {

constexpr std::size_t kHeartbeat = offsetof(Head, heartbeatNs) / sizeof(Cell);
constexpr std::size_t kSequence = offsetof(Head, sequence) / sizeof(Cell);

}  // namespace

BoardWriter::BoardWriter(std::filesystem::path file, Mapping mapping, Writer self)
    : file_(std::move(file)), mapping_(std::move(mapping)), self_(self), contents_(std::make_unique<Contents>()) {
  cells()[offsetof(Head, version) / sizeof(Cell)].store(kVersion, std::memory_order_relaxed);
  cells()[offsetof(Head, magic) / sizeof(Cell)].store(kMagic, std::memory_order_release);
}

Result<BoardWriter> BoardWriter::create(std::filesystem::path file) {
  const std::filesystem::path aside = file.native() + ".new";
  std::error_code failure;
  std::filesystem::remove(aside, failure);
  const FileDescriptor made = TRY(openFile(aside, OpenMode::createNew));
  TRY(truncateTo(made, kFileBytes));
  Mapping mapping = TRY(Mapping::ofFile(made, 0, kFileBytes, Sharing::shared, Access::readWrite));
  const Writer self{.pid = static_cast<std::uint64_t>(::getpid()), .startTicks = TRY(processStartTicks(::getpid()))};
  BoardWriter writer(std::move(file), std::move(mapping), self);
  // Under its name once something stands there.
  writer.publish({});
  std::filesystem::rename(aside, writer.file_, failure);
  if (failure) return systemError("rename " + aside.string(), failure.value());
  return writer;
}

BoardWriter::~BoardWriter() {
  if (file_.empty()) return;
  std::error_code ignored;
  std::filesystem::remove(file_, ignored);
}

// The sequence is odd while the words change (a sequence lock): its first store is before theirs by the fence, its
// second after them.
void BoardWriter::publish(const Board& board) {
  store(board, *contents_);
  contents_->pid = self_.pid;
  contents_->startTicks = self_.startTicks;
  Cell& sequence = cells()[kSequence];
  const std::uint64_t before = sequence.load(std::memory_order_relaxed);
  sequence.store(before + 1, std::memory_order_relaxed);
  std::atomic_thread_fence(std::memory_order_release);
  const auto* const bytes = reinterpret_cast<const std::byte*>(contents_.get());
  const std::size_t words = wordsWith(contents_->vms);
  for (std::size_t i = 0; i < words; ++i) {
    std::uint64_t word = 0;
    std::memcpy(&word, bytes + i * sizeof word, sizeof word);
    cells()[kHeadWords + i].store(word, std::memory_order_relaxed);
  }
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  cells()[kHeartbeat].store(static_cast<std::uint64_t>(now), std::memory_order_relaxed);
  sequence.store(before + 2, std::memory_order_release);
}

}  // namespace qm::board
