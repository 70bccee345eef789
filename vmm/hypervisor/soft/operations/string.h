// String instructions: MOVS STOS LODS CMPS SCAS with their repeats (SDM 2). INS and OUTS are the system families'.
// Modelled: all element and address sizes, DF, segments of the source; each element is precise: a repeat that faults,
// is interrupted, or is run by itself has done the elements before, and its registers say what is left. Forward repeats
// in 64-bit mode go through memory a page at a time.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> stringLowerings();

}  // namespace qm::soft
