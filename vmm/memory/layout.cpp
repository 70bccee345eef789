#include "vmm/memory/layout.h"

#include <algorithm>

#include "vmm/memory/dirty_bitmap.h"
#include "vmm/result/check.h"

namespace qm {

std::vector<MemoryRange> ramLayout(std::uint64_t bytes) {
  CHECK(bytes > 0 && bytes % kGuestPageBytes == 0);
  const std::uint64_t low = std::min(bytes, kMmioHoleStart.value);
  std::vector<MemoryRange> ranges{{.start = GuestAddress{0}, .bytes = low, .fileOffset = 0}};
  if (bytes > low) ranges.push_back({.start = kMmioHoleEnd, .bytes = bytes - low, .fileOffset = low});
  return ranges;
}

}  // namespace qm
