#include "snapshot/store/sealed_copy.h"

#include <algorithm>
#include <vector>

#include "vmm/os/file_contents.h"
#include "vmm/os/mapping.h"

namespace qm::snapshot {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;
constexpr std::size_t kPageBytes = 4096;

bool isZero(std::span<const std::byte> page) {
  return std::ranges::all_of(page, [](std::byte byte) { return byte == std::byte{0}; });
}

// The pages at the front of `rest` that are alike: all of them zeros, or none.
std::size_t alike(std::span<const std::byte> rest, bool zeros) {
  std::size_t bytes = 0;
  while (bytes < rest.size()) {
    const auto page = rest.subspan(bytes, std::min(kPageBytes, rest.size() - bytes));
    if (isZero(page) != zeros) break;
    bytes += page.size();
  }
  return bytes;
}

Status writeData(const FileDescriptor& copy, std::uint64_t at, std::span<const std::byte> piece) {
  while (!piece.empty()) {
    const std::size_t data = alike(piece, false);
    if (data > 0) TRY(writeAt(copy, at, piece.first(data)));
    const std::size_t done = data + alike(piece.subspan(data), true);
    at += done;
    piece = piece.subspan(done);
  }
  return {};
}

}  // namespace

Result<FileDescriptor> sealedCopy(const std::filesystem::path& path) {
  const FileDescriptor file = TRY(openFile(path, OpenMode::read));
  const std::uint64_t size = TRY(fileBytes(file));
  FileDescriptor copy = TRY(createMemfd("quickmatch-snapshot", size));
  std::vector<std::byte> buffer(kPieceBytes);
  for (std::uint64_t at = 0; at < size; at += buffer.size()) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), size - at));
    TRY(readAt(file, at, piece).during("reading " + path.string()));
    TRY(writeData(copy, at, piece).during("copying " + path.string()));
  }
  dropCache(file);
  return sealMemfd(std::move(copy));
}

}  // namespace qm::snapshot
