// The x87 FPU's control instructions that touch no register of the stack: FNINIT FNCLEX FLDCW FNSTCW FNSTSW FWAIT FNOP
// (SDM 1, 8.1; SDM 2).
#pragma once

#include <span>

#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> x87ControlLowerings();

}  // namespace qm::soft
