// Which file a descriptor names, so that two can be compared.
#pragma once

#include <cstdint>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// A value. Two files that are open at the same time differ in it.
struct FileIdentity {
  std::uint64_t device = 0, inode = 0;
  bool operator==(const FileIdentity&) const = default;
};

Result<FileIdentity> identityOf(const FileDescriptor& file);

}  // namespace qm
