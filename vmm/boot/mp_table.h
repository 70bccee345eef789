// The MP table (Intel MultiProcessor Specification 1.4): how a guest without ACPI learns of its processors and of the
// interrupt routing.
#pragma once

#include <cstdint>
#include <set>

#include "vmm/memory/guest_memory.h"
#include "vmm/result/result.h"

namespace qm::boot {

// Processors 0 … vcpus-1 (8 at most), one ISA bus, one IOAPIC with 24 pins. Pin n is interrupt n: edge-triggered as on
// ISA, but for those in `levelPins`, which are level-triggered and active high, so that devices can share them.
Status writeMpTable(GuestMemory& memory, std::uint32_t vcpus, const std::set<std::uint32_t>& levelPins);

}  // namespace qm::boot
