#include "vmm/hypervisor/soft/operations/muldiv.h"

namespace qm::soft {

std::span<const Lowering> muldivLowerings() {
  return {};
}

}  // namespace qm::soft
