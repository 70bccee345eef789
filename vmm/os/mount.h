// The mount calls that make a jail's root: detached trees, placed one by one (open_tree(2), fsopen, move_mount(2),
// mount_setattr(2), pivot_root(2); Linux 5.12). All act on the caller's mount namespace.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// Mounts made from here on are seen by nobody else, and nobody else's are seen here.
Status makeMountsPrivate();

struct MountRights {
  bool readOnly = false;
  bool devices = false;
};

// The file or folder at `path`, as a bind mount that stands nowhere yet; without the mounts below it. What it
// names can no longer change by a rename or link. fixInput when the path names nothing that may be reached.
Result<FileDescriptor> cloneTree(const std::filesystem::path& path);
// Nothing in it can be executed, and what is mounted in its original is not seen in it.
Status restrictTree(const FileDescriptor& tree, MountRights rights);
// Puts a tree where `path` is; symbolic links at its end are not followed.
Status placeTree(const FileDescriptor& tree, const std::filesystem::path& path);

// An empty tmpfs that stands nowhere yet, its root with mode 0755.
Result<FileDescriptor> createTmpfs(std::uint64_t bytes, std::uint64_t files);
// Makes `tree` the root and the working directory, and lets go of the old root with all that is mounted there.
Status enterAsRoot(const FileDescriptor& tree);
// The mount that is the root becomes read-only; devices in it stay usable.
Status sealRoot();

}  // namespace qm
