#include "vmm/hypervisor/soft/operations/bmi.h"

namespace qm::soft {

std::span<const Lowering> bmiLowerings() {
  return {};
}

}  // namespace qm::soft
