// A file of a snapshot, copied into memory where nobody can change it any more.
#pragma once

#include <filesystem>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::snapshot {

// Open for reading only; pages of zeros are holes. The file's own cached pages are let go, so that its contents are in
// memory once. The copy's pages are charged to the process that calls, not to those who map them later.
Result<FileDescriptor> sealedCopy(const std::filesystem::path& path);

}  // namespace qm::snapshot
