// SYSCALL SYSRET SYSENTER SYSEXIT (SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> syscallLowerings();

}  // namespace qm::soft
