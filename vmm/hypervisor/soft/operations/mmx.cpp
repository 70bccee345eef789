#include "vmm/hypervisor/soft/operations/mmx.h"

namespace qm::soft {

std::span<const Lowering> mmxLowerings() {
  return {};
}

}  // namespace qm::soft
