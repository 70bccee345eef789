// Exceptions that an x87 instruction has left for the next one that waits (SDM 1, 8.7.1).
#pragma once

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

// True: one is pending, and raised.
inline bool raisesPendingX87(Cpu& cpu) {
  return (cpu.x87.status & kX87Summary) != 0 && !raise(cpu, Exception::floatingPoint);
}

}  // namespace qm::soft
