// Has pages of guest memory ready that a guest will soon touch.
#pragma once

#include "vmm/memory/guest_memory.h"
#include "vmm/memory/page_run.h"

namespace qm {

// Each run by one system call; runs beyond the memory are passed over. A hint: what the kernel refuses comes as faults,
// as ever. Before anything else uses the memory.
void prefault(const GuestMemory& memory, const WorkingSet& pages);

}  // namespace qm
