// What a kernel is told by PVH: hvm_start_info, version 1 (Xen's public/arch-x86/hvm/start_info.h).
#pragma once

#include <optional>

#include "vmm/boot/zero_page.h"
#include "vmm/memory/guest_memory.h"
#include "vmm/result/result.h"

namespace qm::boot {

// The command line lies at kCommandLine already. PVH has no place for a random seed: the guest has RDRAND, and a clone
// gets its entropy at renewal.
Status writePvhStartInfo(GuestMemory& memory, const std::optional<InitrdPlace>& initrd);

}  // namespace qm::boot
