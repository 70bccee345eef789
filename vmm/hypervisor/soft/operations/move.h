// Moves: MOV MOVZX MOVSX MOVSXD MOVBE LEA XCHG CMOVcc SETcc BSWAP CBW.. CQO.. LAHF SAHF MOVNTI (SDM 2).
// Moves to and from control, debug and segment registers are the system families'.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> moveLowerings();

}  // namespace qm::soft
