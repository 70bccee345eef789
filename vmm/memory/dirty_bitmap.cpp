#include "vmm/memory/dirty_bitmap.h"

#include "vmm/result/check.h"

namespace qm {

DirtyBitmap::DirtyBitmap(std::uint64_t bytes) : words_((bytes / kGuestPageBytes + 63) / 64) {}

void DirtyBitmap::mark(std::uint64_t offset, std::uint64_t bytes) {
  if (bytes == 0) return;
  const std::uint64_t last = (offset + bytes - 1) / kGuestPageBytes;
  CHECK(last / 64 < words_.size());
  for (std::uint64_t page = offset / kGuestPageBytes; page <= last; ++page) {
    words_[page / 64].fetch_or(std::uint64_t{1} << (page % 64), std::memory_order_relaxed);
  }
}

std::vector<std::uint64_t> DirtyBitmap::take() {
  std::vector<std::uint64_t> taken(words_.size());
  for (std::size_t word = 0; word < words_.size(); ++word)
    taken[word] = words_[word].exchange(0, std::memory_order_relaxed);
  return taken;
}

}  // namespace qm
