// What a vsock device counts. Written by the loop thread, read by any.
#pragma once

#include <atomic>
#include <cstdint>

namespace qm::vsock {

struct Counters {
  using Counter = std::atomic<std::uint64_t>;

  Counter packetsFromGuest = 0, bytesFromGuest = 0;
  Counter packetsToGuest = 0, bytesToGuest = 0;
  Counter connectionsFromHost = 0, connectionsFromGuest = 0;  // asked for
  Counter connectionsRefused = 0;  // nobody listens, too many, a line that is not CONNECT, no answer in time
  Counter packetsDropped = 0;      // from the guest: malformed, other addresses, operations without a name
  Counter resetsSent = 0;
};

inline void count(Counters::Counter& counter, std::uint64_t by = 1) {
  counter.fetch_add(by, std::memory_order_relaxed);
}

}  // namespace qm::vsock
