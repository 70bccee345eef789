// Opens the files that save.h wrote.
#pragma once

#include <filesystem>
#include <span>

#include "vmm/machine/machine_state.h"
#include "vmm/memory/guest_memory.h"
#include "vmm/result/result.h"

namespace qm::snapshot {

struct Loaded {
  MachineState state;
  GuestMemory memory;  // the memory file, mapped privately: pages are the file's until they are written
};

// The same two files, open; errors name them by what they are. Holes: GuestMemory::ofSparseFile.
Result<Loaded> loadOpen(const FileDescriptor& state, const FileDescriptor& memory,
                        std::span<const PageRun> memoryHoles);
// The same with the memory file mapped already, and unharmed (GuestMemory::revert).
Result<Loaded> loadInto(const FileDescriptor& state, GuestMemory memory);

// Reads and checks the state first, then the memory file's size; its contents are not read here (snapshot/store checks
// them when a template is prepared). Whoever changes the memory file afterwards changes the guest. What does not fit is
// one sentence that says what to do.
Result<Loaded> loadFiles(const std::filesystem::path& statePath, const std::filesystem::path& memoryPath);

}  // namespace qm::snapshot
