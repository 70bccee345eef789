#include "vmm/hypervisor/soft/operations/string.h"

namespace qm::soft {

std::span<const Lowering> stringLowerings() {
  return {};
}

}  // namespace qm::soft
