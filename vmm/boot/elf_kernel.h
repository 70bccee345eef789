// vmlinux: an ELF file loaded by its program headers (System V ABI, chapter 5), entered by its e_entry, or by the PVH
// note if it has one (Xen's docs/misc/pvh.pandoc: note "Xen", type 18).
#pragma once

#include "vmm/boot/kernel_image.h"
#include "vmm/memory/guest_memory.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::boot {

// Whether the file begins as an ELF file does.
Result<bool> isElf(const FileDescriptor& file);

// Segments go straight from the file into guest memory. Every number in the file is checked; fixInput says which is
// wrong.
Result<KernelImage> loadElf(const FileDescriptor& file, GuestMemory& memory);

}  // namespace qm::boot
