// A processor after power-up, after INIT, and at the address that a start-up IPI names (SDM 3A, 9.1, 9.4).
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"

namespace qm::soft {

// INIT keeps what is not the core's: FPU and vector registers, and most MSRs.
enum class ResetKind : std::uint8_t { powerUp, init };

void resetCpu(Cpu& cpu, ResetKind kind);
// Real mode, at `vector` << 12.
void startUp(Cpu& cpu, std::uint8_t vector);

}  // namespace qm::soft
