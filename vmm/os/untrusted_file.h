// Files in a folder that a process which may be hostile can write: it may have put a link in a file's place, or keep a
// second name for it.
#pragma once

#include <filesystem>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// For reading. giveUp unless it is a plain file of one name; never waits, as a pipe in its place would make it.
Result<FileDescriptor> openUntrusted(const std::filesystem::path& path);

// Moves such a file to where the other process cannot reach, makes it ours, and readable, but not writable, by all.
// After an error what was moved is gone. Both places are on one file system.
Status adoptFile(const std::filesystem::path& from, const std::filesystem::path& to);

}  // namespace qm
