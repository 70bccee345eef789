// Bytes that are no instruction in 64-bit mode, on any CPU: LOCK where it is not allowed, opcodes that were taken away,
// reserved ones, more than 15 bytes.
#pragma once

#include "tests/differ/case.h"
#include "tests/differ/inventory.h"

namespace qm::differ {

// Fills `subject` but for its seed.
void makeInvalid(Case& subject, const Inventory& inventory, const Codec& codec,
                 std::span<const std::uint8_t> background, Random& random);

}  // namespace qm::differ
