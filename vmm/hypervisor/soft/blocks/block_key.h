// The name of a block: the physical address of its first instruction, and all else that decoding depends on besides the
// bytes. Never 0 for code of 64 bits.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/cpu/system_state.h"

namespace qm::soft {

using BlockKey = std::uint64_t;

// `physical` is below 2^52, as all physical addresses (SDM 3A, 4.1.4).
BlockKey blockKey(std::uint64_t physical, const SystemState& system);

std::uint64_t physicalOf(BlockKey key);
// All above the address.
std::uint16_t modeOf(BlockKey key);

// Sets what a key says of the processor's mode: code size, units. False: it says what no processor is in.
bool setMode(SystemState& system, BlockKey key);

}  // namespace qm::soft
