// What the manual has and this CPU does not, where only running the instruction shows it.
#pragma once

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/cpu/handler.h"

namespace qm::soft {

// Counted, and #UD. False, for `return`.
inline bool refuseUnmodelled(Cpu& cpu, const Operation& op) {
  countUnmodelled(cpu, op);
  return raise(cpu, Exception::invalidOpcode);
}

}  // namespace qm::soft
