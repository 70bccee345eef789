#include "vmm/os/heap.h"

#include <malloc.h>

#include <limits>

namespace qm {

void useOneHeap() {
  // Hints: a sanitizer's allocator has neither, and says so by 0.
  static_cast<void>(::mallopt(M_ARENA_MAX, 1));
  static_cast<void>(::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max()));
}

}  // namespace qm
