#include "vmm/hypervisor/soft/operations/shift.h"

namespace qm::soft {

std::span<const Lowering> shiftLowerings() {
  return {};
}

}  // namespace qm::soft
