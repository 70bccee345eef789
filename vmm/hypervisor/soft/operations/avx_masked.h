// Memory lane by lane: VMASKMOVPx VPMASKMOVx, where lanes that are not selected do not fault, and VPGATHERxx
// VGATHERxPx, which a fault interrupts between lanes: those before it are done and not selected any more (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> avxMaskedLowerings();

}  // namespace qm::soft
