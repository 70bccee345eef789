// How a case lies in its slot, the same on both sides.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/differ/case.h"

namespace qm::differ {

// State, code, data and stack into the slot's kSlotBytes. The code area is int3 but for the instruction and, behind it,
// a jump to the epilogue. The read-only page is left alone.
void writeSlot(const Case& subject, std::span<std::uint8_t> slot);
void readSlot(std::span<const std::uint8_t> slot, Outcome& outcome);

}  // namespace qm::differ
