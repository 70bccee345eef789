// Ports: IN OUT INS OUTS, with their repeats (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> portIoLowerings();

}  // namespace qm::soft
