// Branches within a segment: JMP Jcc CALL RET LOOPcc JrCXZ (SDM 2). Far ones are the system families'.
#pragma once

#include <span>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/decode/lowering.h"

namespace qm::soft {

std::span<const Lowering> branchLowerings();

// The end of a block that no branch ended.
const Operation* fallThrough(Cpu& cpu, const Operation* op, Flags& flags);

}  // namespace qm::soft
