// The guest's RAM before its first case: the kernel and its tables, the harness, the sandbox's page tables.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "tests/differ/layout.h"
#include "vmm/hypervisor/state.h"

namespace qm::differ {

inline constexpr std::uint64_t kRamBytes = 8UL * 1024 * 1024;
// The sandbox's guest-physical place.
inline constexpr std::uint64_t kSandboxInRam = 0x10'0000;

// `ram`: zeroed, kRamBytes. `readOnlyPage`: what each slot's read-only page holds.
void writeKernel(std::span<std::uint8_t> ram, std::span<const std::uint8_t> readOnlyPage);

// The kernel's first instruction, in 64-bit mode; `reset` gives what is left as it is.
Registers kernelRegisters();
SystemRegisters kernelSystemRegisters(const SystemRegisters& reset);

}  // namespace qm::differ
