// What becomes of an open file's contents as a whole.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// All of them, wherever the file's position is; at most `limit` bytes, a longer file is fixInput.
Result<std::vector<std::byte>> contentsOf(const FileDescriptor& file, std::uint64_t limit);

// Seals a memfd for good, size and contents (F_ADD_SEALS, fcntl(2)), and answers a descriptor of it that is open for
// reading only. No mapping of it that could be written may be left.
Result<FileDescriptor> sealMemfd(FileDescriptor file);

// Whether the kernel answers for it that nobody changes the file any more.
bool isSealed(const FileDescriptor& file);

// The kernel may let go of what it caches of the file (posix_fadvise(2)); a hint.
void dropCache(const FileDescriptor& file);

}  // namespace qm
