// Guest RAM as a file.
#pragma once

#include "vmm/memory/guest_memory.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::snapshot {

// Writes all regions to `file`, which is empty, each at its fileOffset; pages of zeros become holes.
Status writeMemoryImage(const GuestMemory& memory, const FileDescriptor& file);

}  // namespace qm::snapshot
