// Segment and descriptor-table registers: MOV and POP to segments, LGDT LIDT LLDT LTR SGDT SIDT SLDT STR LAR LSL VERR
// VERW, RDFSBASE and its kin, SWAPGS (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> segmentLoadLowerings();

bool lowerPopSegment(const Instruction& instruction, Emitter& emitter);
bool lowerMoveSegment(const Instruction& instruction, Emitter& emitter);

}  // namespace qm::soft
