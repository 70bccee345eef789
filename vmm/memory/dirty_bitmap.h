// Which pages were written: one bit for each 4 KiB page, set by any thread, taken by one.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace qm {

inline constexpr std::uint64_t kGuestPageBytes = 4096;

class DirtyBitmap {
 public:
  // Covers `bytes` bytes from offset 0.
  explicit DirtyBitmap(std::uint64_t bytes);

  // Any thread. Marks every page that [offset, offset + bytes) touches; the range lies within the bitmap.
  void mark(std::uint64_t offset, std::uint64_t bytes);
  // The words set so far, bit n of word w for page 64 w + n, and clears them. A mark that races is in this or the next.
  std::vector<std::uint64_t> take();

 private:
  std::vector<std::atomic<std::uint64_t>> words_;
};

}  // namespace qm
