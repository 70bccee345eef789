#include "vmm/hypervisor/soft/operations/hint.h"

namespace qm::soft {

std::span<const Lowering> hintLowerings() {
  return {};
}

}  // namespace qm::soft
