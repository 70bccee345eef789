#include "vmm/hypervisor/soft/soft_hypervisor.h"

namespace qm {

Result<std::unique_ptr<Hypervisor>> openSoft(const SoftSettings& /*settings*/) {
  return Error(Remedy::giveUp, "the CPU in software is not there");
}

}  // namespace qm
