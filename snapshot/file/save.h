// Writes a paused machine into files.
#pragma once

#include <filesystem>

#include "vmm/machine/machine_state.h"
#include "vmm/memory/guest_memory.h"
#include "vmm/result/result.h"

namespace qm::snapshot {

// Makes both files (mode 0600), durable when this returns; the machine's vCPUs and devices stand still meanwhile.
// `memoryPath` holds all of RAM, region after region, with holes for pages of zeros. Neither file may be there before:
// clones may have the old one mapped, and the machine itself may be such a clone. After an error neither is.
Status saveFiles(const MachineState& state, const GuestMemory& memory, const std::filesystem::path& statePath,
                 const std::filesystem::path& memoryPath);

}  // namespace qm::snapshot
