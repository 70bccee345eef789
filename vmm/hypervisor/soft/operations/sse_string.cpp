#include "vmm/hypervisor/soft/operations/sse_string.h"

namespace qm::soft {

std::span<const Lowering> sseStringLowerings() {
  return {};
}

}  // namespace qm::soft
