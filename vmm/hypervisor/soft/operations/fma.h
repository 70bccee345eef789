// Fused multiplication and addition: VFMADD VFMSUB VFNMADD VFNMSUB VFMADDSUB VFMSUBADD, each with its three orders of
// operands (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> fmaLowerings();

}  // namespace qm::soft
