#include "vmm/hypervisor/soft/operations/exchange.h"

namespace qm::soft {

std::span<const Lowering> exchangeLowerings() {
  return {};
}

}  // namespace qm::soft
