#include "vmm/hypervisor/soft/operations/sse_float.h"

namespace qm::soft {

std::span<const Lowering> sseFloatLowerings() {
  return {};
}

}  // namespace qm::soft
