// Unix stream sockets by path: what the VMM's API, vsock's host side and the daemon listen on.
#pragma once

#include <sys/types.h>

#include <filesystem>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

enum class Blocking : unsigned char { yes, no };

// Listens on `path`, which must not exist (a left-over socket is the caller's to judge); close-on-exec.
// A path longer than sun_path (107 bytes) is fixInput.
Result<FileDescriptor> listenUnix(const std::filesystem::path& path, Blocking blocking);

// The next connection; retry when there is none (non-blocking listener).
Result<FileDescriptor> acceptUnix(const FileDescriptor& listener, Blocking blocking);

Result<FileDescriptor> connectUnix(const std::filesystem::path& path, Blocking blocking);

// The process that listens on what `connected` is connected to, as the kernel knows it.
Result<pid_t> listenersPid(const FileDescriptor& connected);

// Two connected stream sockets.
Result<std::pair<FileDescriptor, FileDescriptor>> unixSocketPair();

}  // namespace qm
