#include "api/daemon/vm/vm_ending.h"

#include <signal.h>

#include "vmm/seccomp/violation.h"

namespace qm {

VmEnd endOf(const spawner::Ended& ended) {
  if (ended.shortage == MemoryShortage::group) return VmEnd::outOfMemory;
  if (ended.shortage == MemoryShortage::outside) return VmEnd::hostOutOfMemory;
  if (ended.how.signal == SIGKILL) return VmEnd::killed;
  if (ended.how.signal != 0) return VmEnd::crashed;
  return ended.how.code == seccomp::kViolationExit ? VmEnd::refusedCall : VmEnd::exited;
}

}  // namespace qm
