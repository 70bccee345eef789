// What changes nothing that a guest can see: NOP PAUSE PREFETCHh CLFLUSH(OPT) CLWB, fences, the space of hints; and
// RDRAND, RDSEED, XLAT (SDM 2).
// Not modelled: MONITOR, MWAIT, UMONITOR and its kin, SERIALIZE, CLZERO, shadow stacks.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> hintLowerings();

}  // namespace qm::soft
