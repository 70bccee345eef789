#include "vmm/hypervisor/soft/memory/watched_access.h"

namespace qm::soft {

bool isWatchedAccessAllowed(Cpu& /*cpu*/, std::uint64_t /*address*/, unsigned /*bytes*/, Use /*use*/) {
  return true;
}

}  // namespace qm::soft
