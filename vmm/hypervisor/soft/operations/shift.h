// Shifts and rotates: SHL SHR SAR ROL ROR RCL RCR SHLD SHRD (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> shiftLowerings();

}  // namespace qm::soft
