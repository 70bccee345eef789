// The registers that tell where descriptors are: LGDT LIDT SGDT SIDT, LLDT LTR SLDT STR (SDM 2; SDM 3A, 2.4).
#pragma once

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

bool lowerLoadTable(const Instruction& instruction, Emitter& emitter);
bool lowerStoreTable(const Instruction& instruction, Emitter& emitter);
bool lowerLoadSystemSegment(const Instruction& instruction, Emitter& emitter);
bool lowerStoreSystemSegment(const Instruction& instruction, Emitter& emitter);

}  // namespace qm::soft
