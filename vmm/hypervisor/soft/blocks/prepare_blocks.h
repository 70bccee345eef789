// Decodes the code of a snapshot before its clones run. What comes out follows from the memory, the program and the
// host's features; hints only choose what is decoded. A hint whose bytes are others in the snapshot is left out: the
// guest wrote that code after it, and so will its clones.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "vmm/hypervisor/soft/blocks/code_hints.h"
#include "vmm/hypervisor/soft/blocks/prepared_blocks.h"
#include "vmm/hypervisor/soft/memory/physical_memory.h"
#include "vmm/result/result.h"

namespace qm::soft {

// The file of prepared_blocks.h, not yet sealed. `memory` is read only; `digest` is that of its file. giveUp: this
// program cannot name itself.
Result<std::vector<std::byte>> prepareBlocks(PhysicalMemory& memory, const MemoryDigest& digest,
                                             std::span<const CodeHint> hints);

}  // namespace qm::soft
