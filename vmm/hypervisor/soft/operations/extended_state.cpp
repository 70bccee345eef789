#include "vmm/hypervisor/soft/operations/extended_state.h"

namespace qm::soft {

std::span<const Lowering> extendedStateLowerings() {
  return {};
}

}  // namespace qm::soft
