// Who may send how much on one connection (virtio 1.2, 5.10.6.3). Counters run freely modulo 2^32, as on the wire.
#pragma once

#include <cstdint>

namespace qm::vsock {

// Our buffer for one connection (buf_alloc): what the guest may send beyond what the host's socket has taken.
inline constexpr std::uint32_t kBufferBytes = 64 * 1024;

struct Credit {
  // From the guest.
  std::uint32_t received = 0;   // accepted
  std::uint32_t forwarded = 0;  // of these, handed on to the host: our fwd_cnt
  std::uint32_t announced = 0;  // the forwarded count that the guest was last told
  // To the guest; the last two are its word.
  std::uint32_t sent = 0;
  std::uint32_t peerBuffer = 0;
  std::uint32_t peerForwarded = 0;

  std::uint32_t buffered() const { return received - forwarded; }
  // Whether the guest may send so many more.
  bool accepts(std::uint32_t bytes) const { return bytes <= kBufferBytes - buffered(); }
  // The guest is told of freed room at half the buffer: later it might stall with room left (it can't tell), earlier
  // costs it a packet for little. Any other packet tells it too.
  bool isUpdateDue() const { return forwarded - announced >= kBufferBytes / 2; }
  // What may be sent to the guest. A guest that claims to have forwarded more than it got, or that shrank its buffer
  // below what is on its way, gets nothing until its numbers fit.
  std::uint32_t free() const {
    const std::uint32_t onTheWay = sent - peerForwarded;
    return onTheWay < peerBuffer ? peerBuffer - onTheWay : 0;
  }

  bool operator==(const Credit&) const = default;
};

}  // namespace qm::vsock
