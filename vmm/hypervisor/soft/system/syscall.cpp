#include "vmm/hypervisor/soft/system/syscall.h"

namespace qm::soft {

std::span<const Lowering> syscallLowerings() {
  return {};
}

}  // namespace qm::soft
