#include "vmm/hypervisor/soft/operations/x87.h"

namespace qm::soft {

std::span<const Lowering> x87Lowerings() {
  return {};
}

}  // namespace qm::soft
