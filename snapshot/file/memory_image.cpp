#include "snapshot/file/memory_image.h"

#include <algorithm>
#include <array>
#include <cstring>

namespace qm::snapshot {

namespace {

// One write at most: large enough that the calls cost nothing beside the copying.
constexpr std::size_t kMaxWriteBytes = std::size_t{1} << 20;

bool isZero(std::span<const std::byte> page) {
  static constexpr std::array<std::byte, kGuestPageBytes> kZeros{};
  return std::memcmp(page.data(), kZeros.data(), kGuestPageBytes) == 0;
}

// How many bytes from the front of `rest` are pages that are not zero, up to one write.
std::size_t leadingData(std::span<const std::byte> rest) {
  const std::size_t most = std::min(rest.size(), kMaxWriteBytes);
  std::size_t bytes = 0;
  while (bytes < most && !isZero(rest.subspan(bytes, kGuestPageBytes))) bytes += kGuestPageBytes;
  return bytes;
}

Status writeRegion(const GuestMemory::Region& region, const FileDescriptor& file) {
  std::size_t at = 0;
  while (at < region.host.size()) {
    const std::span<const std::byte> rest = region.host.subspan(at);
    const std::size_t data = leadingData(rest);
    if (data > 0) TRY(writeAt(file, region.range.fileOffset + at, rest.first(data)));
    at += data > 0 ? data : kGuestPageBytes;
  }
  return {};
}

}  // namespace

Status writeMemoryImage(const GuestMemory& memory, const FileDescriptor& file) {
  TRY(truncateTo(file, memory.bytes()));
  for (const GuestMemory::Region& region : memory.regions()) TRY(writeRegion(region, file));
  return {};
}

}  // namespace qm::snapshot
