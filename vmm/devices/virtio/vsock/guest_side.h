// Where the muxer's packets go: the guest's receive buffers, or a test's list.
#pragma once

#include <cstddef>
#include <optional>
#include <span>

#include "vmm/devices/virtio/vsock/packet.h"

namespace qm::vsock {

class GuestSide {
 public:
  virtual ~GuestSide() = default;
  // Payload bytes, beyond the header, that the next receive buffer takes; nothing when the guest has given none.
  virtual std::optional<std::size_t> room() = 0;
  // Into the next receive buffer. Only after room() answered, with no more payload than that; payload.size() is
  // header.length.
  virtual void deliver(const Header& header, std::span<const std::byte> payload) = 0;
  // A later turn of the loop, after pump() stopped early for the other devices' sake: take packets and pump() again.
  virtual void onNextTurn() = 0;
};

}  // namespace qm::vsock
