// Accesses that have to be looked at one by one: alignment checks (SDM 3A, 6.15, #AC) and data breakpoints (SDM 3B,
// 17.2.4). Only under Privilege::watched, which no table of recent walks serves.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/memory/page_walk.h"

namespace qm::soft {

// False: an alignment check raised. A data breakpoint that is hit is noted for after the instruction, which must be run
// alone for that (false, too, when it is not).
bool isWatchedAccessAllowed(Cpu& cpu, std::uint64_t address, unsigned bytes, Use use);

}  // namespace qm::soft
