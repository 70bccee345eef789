// Unix sockets that keep messages apart and carry descriptors beside them (SOCK_SEQPACKET, SCM_RIGHTS).
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstddef>
#include <span>
#include <utility>
#include <vector>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// Messages are at most this long: one that is longer is neither sent nor taken.
inline constexpr std::size_t kMessageBytes = std::size_t{64} * 1024;
// At most so many descriptors go with one message (the kernel's own limit, SCM_MAX_FD, is 253).
inline constexpr std::size_t kMessageDescriptors = 128;

struct Message {
  std::vector<std::byte> bytes;
  std::vector<FileDescriptor> descriptors;  // close-on-exec
};

// Two connected ends, blocking.
Result<std::pair<FileDescriptor, FileDescriptor>> messageSocketPair();

// Never raises SIGPIPE; giveUp when the peer is gone. The descriptors stay the caller's.
Status sendMessage(const FileDescriptor& socket, std::span<const std::byte> bytes, std::span<const int> descriptors);

// The next message; one without bytes is the end: the peer is gone. retry after the time that
// setReceiveTimeout set; fixInput for a message beyond the limits, which is dropped.
Result<Message> receiveMessage(const FileDescriptor& socket);
// sendMessage says retry after this time.
Status setSendTimeout(const FileDescriptor& socket, std::chrono::milliseconds time);
Status setReceiveTimeout(const FileDescriptor& socket, std::chrono::milliseconds time);

// Who made the peer's end: user and group at that time (SO_PEERCRED, unix(7)).
struct PeerIdentity {
  uid_t uid = 0;
  gid_t gid = 0;
  bool operator==(const PeerIdentity&) const = default;
};
Result<PeerIdentity> peerIdentity(const FileDescriptor& socket);

}  // namespace qm
