#include "vmm/hypervisor/soft/operations/sse_integer.h"

namespace qm::soft {

std::span<const Lowering> sseIntegerLowerings() {
  return {};
}

}  // namespace qm::soft
