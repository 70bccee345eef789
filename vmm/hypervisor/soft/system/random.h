// What RDRAND and RDSEED give a guest.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

// The host's own RDRAND, or its kernel's generator where the CPU has none; with SoftClock::instructions the vCPU's own
// sequence (Cpu::randomState), which is the same each time. The vCPU's own thread.
std::uint64_t randomNumber(Cpu& cpu);

}  // namespace qm::soft
