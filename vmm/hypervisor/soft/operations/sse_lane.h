// One lane to or from a general register, memory or another lane: PEXTRx PINSRx EXTRACTPS INSERTPS (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> sseLaneLowerings();

}  // namespace qm::soft
