#include "api/vmm/program/console.h"

#include "vmm/os/standard_streams.h"

namespace qm::vmm {

Result<Console> Console::open(const std::filesystem::path& path) {
  if (path.empty()) return Console(FileDescriptor());
  return Console(TRY(openFile(path, OpenMode::append).during("opening the console's file")));
}

void Console::write(std::span<const std::uint8_t> bytes) const {
  if (!file_.isOpen()) {
    writeStandard(StandardStream::output, std::as_bytes(bytes));
  } else {
    static_cast<void>(writeAll(file_, std::as_bytes(bytes)).has_value());
  }
}

void Console::forget() const {
  if (!file_.isOpen()) {
    emptyStandard(StandardStream::output);
  } else {
    static_cast<void>(truncateTo(file_, 0).has_value());
  }
}

}  // namespace qm::vmm
