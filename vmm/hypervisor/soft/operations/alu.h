// Addition, subtraction, comparison and logic: ADD ADC SUB SBB CMP AND OR XOR TEST INC DEC NEG NOT, on registers,
// memory and immediates, locked or not (SDM 2).
// Each operation is the host's own instruction, with the flags that it makes; AF after AND, OR, XOR and TEST, which the
// manual leaves undefined, is the host's.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> aluLowerings();

}  // namespace qm::soft
