#include "vmm/os/heap.h"

#include <malloc.h>

#include <limits>

#include "vmm/result/check.h"

namespace qm {

void useOneHeap() {
  CHECK(::mallopt(M_ARENA_MAX, 1) == 1);
  CHECK(::mallopt(M_TRIM_THRESHOLD, std::numeric_limits<int>::max()) == 1);
}

}  // namespace qm
