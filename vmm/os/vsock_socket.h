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

// To a guest of this host, by its CID. Blocks for as long as the kernel has patience, two seconds. retry: the guest has
// no such number yet, its driver is not up, or nobody listens there.
Result<FileDescriptor> connectVsock(std::uint32_t cid, std::uint32_t port);

}  // namespace qm
