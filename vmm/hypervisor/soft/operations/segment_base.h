// The bases of FS and GS as 64-bit mode changes them: RDFSBASE RDGSBASE WRFSBASE WRGSBASE SWAPGS (SDM 2).
#pragma once

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

bool lowerReadBase(const Instruction& instruction, Emitter& emitter);
bool lowerWriteBase(const Instruction& instruction, Emitter& emitter);
bool lowerSwapGs(const Instruction& instruction, Emitter& emitter);

}  // namespace qm::soft
