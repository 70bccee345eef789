// What a connected stream socket can do beyond a file: send without SIGPIPE, look ahead, close one direction.
#pragma once

#include <cstddef>
#include <span>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// Sends what fits now, 1 to bytes.size() of them; never blocks, never raises SIGPIPE. retry: nothing fits; giveUp: the
// peer receives no more.
Result<std::size_t> sendSome(const FileDescriptor& socket, std::span<const std::byte> bytes);

// Copies what has arrived, at most bytes.size(), and leaves it there; never blocks. 0 is the stream's end; retry:
// nothing yet.
Result<std::size_t> peekSome(const FileDescriptor& socket, std::span<std::byte> bytes);

// Takes the first `bytes` of what peekSome() copied out of the socket. giveUp: the stream ended before that.
Status dropPeeked(const FileDescriptor& socket, std::size_t bytes);

// The peer reads an end after what was sent. Free when the peer is gone.
void stopSending(const FileDescriptor& socket);
// The peer's next send fails.
void stopReceiving(const FileDescriptor& socket);

// Whether the peer has closed both directions (or both ends together have).
bool isHungUp(const FileDescriptor& socket);

}  // namespace qm
