// What changes nothing that a guest can see: NOP PAUSE PREFETCHh CLFLUSH(OPT) fences; and RDRAND, RDSEED (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> hintLowerings();

}  // namespace qm::soft
