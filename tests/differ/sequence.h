// Several instructions in a row, in a loop: what a CPU in software keeps from one to the next (flags that it has not
// computed yet, floating-point modes, chained blocks) is seen only there.
#pragma once

#include "tests/differ/case.h"
#include "tests/differ/inventory.h"

namespace qm::differ {

// Fills `subject` but for its seed: a program that ends with a jump to the epilogue. Memory operands have no registers,
// since those change; no instruction reads a flag that an earlier one has left undefined.
void makeSequence(Case& subject, const Inventory& inventory, const Codec& codec,
                  std::span<const std::uint8_t> background, Random& random);

}  // namespace qm::differ
