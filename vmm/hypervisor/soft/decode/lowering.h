// Lowering: from an instruction to operations. Each family of instructions has a table of these; `loweringFor()` knows
// them all.
#pragma once

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

// Null: not modelled. Some mnemonics are those of two instructions: PADDB is MMX's and SSE2's, MOVSD and CMPSD are
// string instructions and SSE2's; which of them is meant is told by the registers among the explicit operands.
Lower loweringFor(const Instruction& instruction);

}  // namespace qm::soft
