#include "vmm/hypervisor/soft/operations/sse_move.h"

namespace qm::soft {

std::span<const Lowering> sseMoveLowerings() {
  return {};
}

}  // namespace qm::soft
