#include "vmm/hypervisor/soft/system/port_io.h"

namespace qm::soft {

std::span<const Lowering> portIoLowerings() {
  return {};
}

}  // namespace qm::soft
