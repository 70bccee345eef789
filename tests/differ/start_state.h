// The state that a case starts from, before its operands are aimed: random, within what can be loaded.
#pragma once

#include "tests/differ/case.h"
#include "tests/differ/values.h"

namespace qm::differ {

// What the operand's elements are, for choosing values.
Element elementOf(const ZydisDecodedOperand& operand);

// A state that FXRSTOR takes.
void fillFx(FxArea& fx, Random& random);
// XMM, YMM and MMX operands of the instruction.
void fillOperands(LoadedState& state, const Instruction& instruction, Random& random);
// All but the entry; register operands get values of their elements' kind. Data and stack get `background`.
void fillState(Case& subject, std::span<const std::uint8_t> background, Random& random);

}  // namespace qm::differ
