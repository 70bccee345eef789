// What a kernel is told by the Linux boot protocol: boot_params, the "zero page" (Documentation/x86/zero-page.rst).
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "vmm/memory/guest_memory.h"
#include "vmm/result/result.h"

namespace qm::boot {

// Where the initial RAM disk lies.
struct InitrdPlace {
  GuestAddress start;
  std::uint64_t bytes = 0;
};

// RAM as the guest is told of it: base memory up to the MP table, and all from 1 MiB up.
std::vector<MemoryRange> usableRam(const GuestMemory& memory);

// Writes the zero page and a random seed as setup_data. `setupHeader` is a bzImage's own header, which must be handed
// back to it; empty for vmlinux. The command line lies at kCommandLine already and has `commandLineBytes`.
Status writeZeroPage(GuestMemory& memory, std::span<const std::uint8_t> setupHeader, std::uint64_t commandLineBytes,
                     const std::optional<InitrdPlace>& initrd);

}  // namespace qm::boot
