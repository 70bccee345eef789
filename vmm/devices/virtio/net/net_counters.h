// What a network device counts. Written under the transport's lock, read by any thread.
#pragma once

#include <atomic>
#include <cstdint>

namespace qm::virtio {

struct NetCounters {
  using Counter = std::atomic<std::uint64_t>;

  Counter framesFromGuest = 0, bytesFromGuest = 0;
  Counter framesToGuest = 0, bytesToGuest = 0;
  Counter malformedFromGuest = 0;  // shorter than their header and an Ethernet header, or longer than any frame
  Counter refusedByHost = 0;       // from the guest: the tap was full, or its interface down
  Counter malformedFromHost = 0;
  Counter tooLargeForGuest = 0;  // from the host: larger than the buffer that the driver offered
};

inline void count(NetCounters::Counter& counter, std::uint64_t by = 1) {
  counter.fetch_add(by, std::memory_order_relaxed);
}

}  // namespace qm::virtio
