// One access to a port: whether the privilege has it (SDM 1, 19.5), and who answers. The VM's own chips answer at once,
// a byte at a time; every other port is the VMM's, whose answer ends the instruction (Stop::device) and begins it
// again.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

// False: #GP, or the TSS could not be read.
bool mayUsePort(Cpu& cpu, std::uint16_t port, unsigned bytes);

// bytes: 1, 2, 4. False: stopped.
bool readPort(Cpu& cpu, std::uint16_t port, unsigned bytes, std::uint32_t& value);
bool writePort(Cpu& cpu, std::uint16_t port, unsigned bytes, std::uint32_t value);

}  // namespace qm::soft
