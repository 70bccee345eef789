// INT n, INT3, INT1, INTO (SDM 2; SDM 3A, 6.4.4).
// Modelled: delivery through the 64-bit IDT. Not modelled: delivery outside IA-32e mode.
#pragma once

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

bool lowerInterrupt(const Instruction& instruction, Emitter& emitter);

}  // namespace qm::soft
