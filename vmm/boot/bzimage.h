// bzImage: entered at its 64-bit entry, 0x200 bytes into the protected-mode code (Linux Documentation/x86/boot.rst,
// "64-bit Boot Protocol"; protocol 2.12 or later, XLF_KERNEL_64). It inflates itself, which costs more instructions
// than all the rest of a small kernel's boot: vmlinux is the better choice.
#pragma once

#include "vmm/boot/kernel_image.h"
#include "vmm/memory/guest_memory.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::boot {

Result<KernelImage> loadBzImage(const FileDescriptor& file, GuestMemory& memory);

}  // namespace qm::boot
