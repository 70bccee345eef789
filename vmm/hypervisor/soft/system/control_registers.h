// CR0, CR2, CR3, CR4 and CR8, with the rules of SDM 3A, 2.5 and SDM 2, MOV to control registers.
// Modelled: paging of 4 levels, and none at all; PCIDs as far as that entries of one of them are remembered.
// Not modelled: paging outside IA-32e mode, caching (CD, NW are stored).
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

enum class ControlRegister : std::uint8_t { cr0 = 0, cr2 = 2, cr3 = 3, cr4 = 4, cr8 = 8 };
constexpr bool isControlRegister(std::uint8_t number) {
  return number == 0 || (number >= 2 && number <= 4) || number == 8;
}

std::uint64_t controlRegister(const Cpu& cpu, ControlRegister which);
// As MOV at CPL 0 does it, for `op`, whose block must end. False: a fault, and nothing was changed.
bool setControlRegister(Cpu& cpu, const Operation& op, ControlRegister which, std::uint64_t value);

}  // namespace qm::soft
