// Conversions between singles, doubles and integers: CVTx CVTTx on XMM and general registers (SDM 2). Those with MMX
// registers are MMX's.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseConvertLowerings();

}  // namespace qm::soft
