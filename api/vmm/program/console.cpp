#include "api/vmm/program/console.h"

#include <algorithm>
#include <string_view>

#include "vmm/os/standard_streams.h"

namespace qm::vmm {

namespace {

constexpr std::string_view kFull =
    "\n[quickmatch: the console's limit is reached, and what the guest writes from here on is lost]\n";

}  // namespace

Result<FileDescriptor> Console::openFile(const std::filesystem::path& path) {
  if (path.empty()) return FileDescriptor();
  return qm::openFile(path, OpenMode::append).during("opening the console's file");
}

void Console::put(std::span<const std::byte> bytes) const {
  if (!file_.isOpen()) {
    writeStandard(StandardStream::output, bytes);
  } else {
    static_cast<void>(writeAll(file_, bytes).has_value());
  }
}

void Console::write(std::span<const std::uint8_t> bytes) {
  if (most_ == 0) return put(std::as_bytes(bytes));
  const std::uint64_t before = offered_.fetch_add(bytes.size());
  if (before > most_) return;
  const std::uint64_t room = most_ - before;
  put(std::as_bytes(bytes.first(std::min(room, bytes.size()))));
  if (bytes.size() > room) put(std::as_bytes(std::span(kFull)));
}

void Console::forget() {
  offered_ = 0;
  if (!file_.isOpen()) {
    emptyStandard(StandardStream::output);
  } else {
    static_cast<void>(truncateTo(file_, 0).has_value());
  }
}

}  // namespace qm::vmm
