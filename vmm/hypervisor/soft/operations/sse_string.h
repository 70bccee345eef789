// SSE4.2's string comparisons: PCMPESTRI PCMPESTRM PCMPISTRI PCMPISTRM (SDM 1, 12.9; SDM 2, 4.1).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseStringLowerings();

}  // namespace qm::soft
