// Lowering: from an instruction to operations. Each family of instructions has a table of these; `lowerings()` knows
// them all.
#pragma once

#include <array>
#include <span>

#include "vmm/hypervisor/soft/decode/emitter.h"
#include "vmm/hypervisor/soft/decode/instruction.h"

namespace qm::soft {

// False: this shape of the instruction is not modelled; it will raise #UD and be counted.
using Lower = bool (*)(const Instruction&, Emitter&);

struct Lowering {
  ZydisMnemonic mnemonic;
  Lower lower;
};

// By mnemonic; null: not modelled.
using LoweringTable = std::array<Lower, ZYDIS_MNEMONIC_MAX_VALUE + 1>;
const LoweringTable& lowerings();

}  // namespace qm::soft
