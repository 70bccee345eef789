// What a vCPU forgets of its page walks, and of the jumps that rest on them (SDM 3A, 4.10.4). One address space is
// remembered at a time: entries of other PCIDs are never kept. The vCPU's own thread; the operation that calls one ends
// its block with Outcome::elsewhere.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

void flushAll(Cpu& cpu);
// What a write to CR3 forgets.
void flushNonGlobal(Cpu& cpu);
// The page that holds `address`, global or not.
void flushPage(Cpu& cpu, std::uint64_t address);

}  // namespace qm::soft
