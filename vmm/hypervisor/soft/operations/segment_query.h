// Questions about segments that answer in ZF and never fault for the answer: LAR LSL VERR VERW (SDM 2).
#pragma once

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

bool lowerLar(const Instruction& instruction, Emitter& emitter);
bool lowerLsl(const Instruction& instruction, Emitter& emitter);
bool lowerVerr(const Instruction& instruction, Emitter& emitter);
bool lowerVerw(const Instruction& instruction, Emitter& emitter);

}  // namespace qm::soft
