// AF_VSOCK stream sockets: how a guest's programs are reached from its host (vsock(7)).
#pragma once

#include <cstdint>

#include "vmm/os/file_descriptor.h"
#include "vmm/os/unix_socket.h"
#include "vmm/result/result.h"

namespace qm {

// Listens on `port` of every local CID; close-on-exec.
Result<FileDescriptor> listenVsock(std::uint32_t port, Blocking blocking);
// The next connection; retry when there is none (non-blocking listener).
Result<FileDescriptor> acceptVsock(const FileDescriptor& listener, Blocking blocking);

}  // namespace qm
