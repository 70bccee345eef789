#include "vmm/hypervisor/soft/system/privileged.h"

namespace qm::soft {

std::span<const Lowering> privilegedLowerings() {
  return {};
}

}  // namespace qm::soft
