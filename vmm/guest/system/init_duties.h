// What else falls to process 1, and to nobody else. Needs root.
#pragma once

#include <sys/types.h>

#include <functional>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::guest {

// Tells the VMM's boot timer that init runs: byte 123 to physical address 0xc0000000, through /dev/mem.
Status tellBootTimer();

// Readable whenever a child has ended. Blocks SIGCHLD in this thread: to be called before others start.
Result<FileDescriptor> watchChildren();
// Reaps every child that has ended but those that `isOwned` knows, which it reaps itself.
void reapOrphans(const FileDescriptor& children, const std::function<bool(pid_t)>& isOwned);

// The machine resets at once; comes back only when it may not.
Status restart();

}  // namespace qm::guest
