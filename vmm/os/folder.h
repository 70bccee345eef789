// Folders and the things in them that are made, not opened: what a jail's root is furnished with.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

enum class FileKind : unsigned char { folder, device, other };

struct FileFacts {
  FileKind kind = FileKind::other;
  uid_t owner = 0;
  dev_t device = 0;  // which one, if it is a device
};
Result<FileFacts> factsOf(const FileDescriptor& file);

// Folders above it included, with mode 0755.
Status makeFolder(const std::filesystem::path& path);
// An empty file; a folder for it is made when missing.
Status makeEmptyFile(const std::filesystem::path& path);
// A character device that `group` alone may use.
Status makeDevice(const std::filesystem::path& path, dev_t device, gid_t group);
// Of the file itself, also by a path-only descriptor; the group stays.
Status changeOwner(const FileDescriptor& file, uid_t owner);
// The working directory.
Status enterFolder(const std::filesystem::path& path);

}  // namespace qm
