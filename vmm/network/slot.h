// A network slot: a network namespace in which a guest is alone with its gateway.
//
// In it: lo, which stays down, and one tap with the gateway's address, whose other end is the guest's. There is no
// other interface and no route but that to the guest, so nothing is forwarded to anywhere, whatever the host's setting:
// the one way out is a socket of this namespace that somebody outside holds. No IPv6 address; the guest is a permanent
// neighbour, so that reaching it costs no ARP.
// It lives as long as somebody holds it open, its tap or a socket of it. A slot is for one guest and ends with it: what
// a tenant leaves in a namespace (half-open connections, neighbours, TCP metrics, what is queued in the tap) ends
// there.
#pragma once

#include <cstdint>

#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::network {

// Furnishes the network namespace that the calling process is in, which is fresh; answers the tap. An error says what
// the host's administrator can do.
Result<FileDescriptor> furnishSlot();

enum class SlotSocket : std::uint8_t {
  toGuest,    // not yet connected
  fromGuest,  // listens at the gateway's address on kProxyPort; once in a slot
};
// A TCP socket of the namespace that the calling process is in, non-blocking.
Result<FileDescriptor> openSlotSocket(SlotSocket kind);

// Begins to connect one `toGuest` to a port of its guest; it is writable once that is decided.
Status beginConnecting(const FileDescriptor& socket, std::uint16_t port);
// How that ended. retry: the guest refuses, or did not answer.
Status connectingEnded(const FileDescriptor& socket);

}  // namespace qm::network
