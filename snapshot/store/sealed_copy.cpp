#include "snapshot/store/sealed_copy.h"

#include <algorithm>
#include <vector>

#include "vmm/memory/dirty_bitmap.h"
#include "vmm/os/file_contents.h"
#include "vmm/os/mapping.h"

namespace qm::snapshot {

namespace {

constexpr std::size_t kPieceBytes = std::size_t{1} << 20;

bool isZero(std::span<const std::byte> page) {
  return std::ranges::all_of(page, [](std::byte byte) { return byte == std::byte{0}; });
}

// The pages at the front of `rest` that are alike: all of them zeros, or none.
std::size_t alike(std::span<const std::byte> rest, bool zeros) {
  std::size_t bytes = 0;
  while (bytes < rest.size()) {
    const auto page = rest.subspan(bytes, std::min(kGuestPageBytes, rest.size() - bytes));
    if (isZero(page) != zeros) break;
    bytes += page.size();
  }
  return bytes;
}

void addHole(std::vector<PageRun>& holes, std::uint64_t at, std::size_t bytes) {
  const PageRun hole{.first = static_cast<std::uint32_t>(at / kGuestPageBytes),
                     .count = static_cast<std::uint32_t>(bytes / kGuestPageBytes)};
  if (hole.count == 0) return;  // the end of a file that is not whole pages
  if (!holes.empty() && holes.back().first + holes.back().count == hole.first) {
    holes.back().count += hole.count;
  } else {
    holes.push_back(hole);
  }
}

Status writeData(const FileDescriptor& copy, std::uint64_t at, std::span<const std::byte> piece,
                 std::vector<PageRun>& holes) {
  while (!piece.empty()) {
    const std::size_t data = alike(piece, false);
    if (data > 0) TRY(writeAt(copy, at, piece.first(data)));
    const std::size_t zeros = alike(piece.subspan(data), true);
    addHole(holes, at + data, zeros);
    at += data + zeros;
    piece = piece.subspan(data + zeros);
  }
  return {};
}

// All but the holes.
Status fillBetween(const FileDescriptor& copy, std::uint64_t size, std::span<const PageRun> holes) {
  std::uint64_t at = 0;
  for (const PageRun& hole : holes) {
    const std::uint64_t first = std::uint64_t{hole.first} * kGuestPageBytes;
    if (at < first) TRY(fillHoles(copy, at, first - at));
    at = first + std::uint64_t{hole.count} * kGuestPageBytes;
  }
  return at < size ? fillHoles(copy, at, size - at) : Status();
}

}  // namespace

std::vector<PageRun> worthwhile(std::vector<PageRun> holes) {
  for (std::uint32_t least = kLeastHole;; least *= 2) {
    std::erase_if(holes, [least](const PageRun& hole) { return hole.count < least; });
    if (holes.size() <= kMostHoles) return holes;
  }
}

Result<SealedCopy> sealedCopy(const std::filesystem::path& path) {
  const FileDescriptor file = TRY(openFile(path, OpenMode::read));
  const std::uint64_t size = TRY(fileBytes(file));
  FileDescriptor copy = TRY(createMemfd("quickmatch-snapshot", size));
  std::vector<PageRun> holes;
  std::vector<std::byte> buffer(kPieceBytes);
  for (std::uint64_t at = 0; at < size; at += buffer.size()) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(buffer.size(), size - at));
    TRY(readAt(file, at, piece).during("reading " + path.string()));
    TRY(writeData(copy, at, piece, holes).during("copying " + path.string()));
  }
  dropCache(file);
  holes = worthwhile(std::move(holes));
  TRY(fillBetween(copy, size, holes).during("copying " + path.string()));
  return SealedCopy{.file = TRY(sealMemfd(std::move(copy))), .holes = std::move(holes)};
}

}  // namespace qm::snapshot
