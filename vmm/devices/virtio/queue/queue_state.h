// What a snapshot keeps of a split virtqueue (virtio 1.2, 2.7).
#pragma once

#include <cstdint>

namespace qm::virtio {

// Addresses and indices are the guest's word: checked at each use.
struct QueueState {
  std::uint16_t size = 0;  // what the driver chose, at most the device's maximum
  bool ready = false;
  std::uint64_t descriptorTable = 0, availableRing = 0, usedRing = 0;  // guest-physical
  std::uint16_t nextAvailable = 0;  // free-running index of the next available entry to take
  std::uint16_t nextUsed = 0;       // free-running index of the next used entry to fill
  bool operator==(const QueueState&) const = default;
};

}  // namespace qm::virtio
