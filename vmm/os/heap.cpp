#include "vmm/os/heap.h"

#include <malloc.h>

#include <limits>

namespace qm {

namespace {
// What is larger is mapped by itself: it comes in fresh pages and takes them along. A vCPU of the CPU in software has
// 172 KiB, 43 faults each time that a process makes one.
constexpr int kMostFromHeap = 1 << 20;
}  // namespace

void useOneHeap() {
  // Hints: a sanitizer's allocator has neither, and says so by 0.
  static_cast<void>(::mallopt(M_ARENA_MAX, 1));
  static_cast<void>(::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max()));
  static_cast<void>(::mallopt(M_MMAP_THRESHOLD, kMostFromHeap));
}

}  // namespace qm
