// The agent's way out where the VMM has no vsock: a port of a virtio console (Virtual I/O Device 1.2, section 5.3).
#pragma once

#include <string>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::guest {

// A stream socket whose other end is the port `device`, a character device that may yet have to appear. The port itself
// would not do: whenever nobody holds the host's end it reads as ended and polls as hung up, and it takes no send(2).
// Here hosts come and go unseen; a host that leaves in the middle of a message spoils the stream for the next.
// Two processes carry the bytes until the socket is closed. Needs root; to be called before threads start.
Result<FileDescriptor> relayPort(const std::string& device);

}  // namespace qm::guest
