// MSRs that are a value and nothing else: what may be written to them, and where it is.
#pragma once

#include <cstdint>
#include <span>

#include "vmm/hypervisor/soft/cpu/system_state.h"
#include "vmm/hypervisor/soft/system/msr_numbers.h"

namespace qm::soft {

// Null: it is none of these.
std::uint64_t* heldMsr(SystemState& system, std::uint32_t index);
// Whether one of these takes the value; else #GP.
bool isLegalFor(const SystemState& system, std::uint32_t index, std::uint64_t value);

// Those that a snapshot always keeps, and the memory types, ascending each.
std::span<const Msr> keptHeldMsrs();
std::span<const std::uint32_t> memoryTypeMsrs();

}  // namespace qm::soft
