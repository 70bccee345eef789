// A machine's state as the bytes of a state file, and back. Values only; files are snapshot/file's.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "vmm/machine/machine_state.h"
#include "vmm/result/result.h"

namespace qm::snapshot {

// The same state gives the same bytes.
std::vector<std::byte> encode(const MachineState& state);

// The state that encode() was given. Whatever else the bytes are is refused with a sentence that says what to do
// (fixInput); they may be hostile, and what they say is bounded before it is allocated.
Result<MachineState> decode(std::span<const std::byte> bytes);

}  // namespace qm::snapshot
