#include "vmm/hypervisor/soft/operations/bit.h"

namespace qm::soft {

std::span<const Lowering> bitLowerings() {
  return {};
}

}  // namespace qm::soft
