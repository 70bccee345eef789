// What a snapshot keeps of a virtio device: its transport, its queues, and what each kind of device adds. Plain values;
// virtio 1.2 gives the names.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <variant>
#include <vector>

#include "vmm/devices/virtio/queue/queue_state.h"

namespace qm::virtio {

// Virtio 1.2, section 5: device ids.
enum class DeviceKind : std::uint8_t { net = 1, block = 2, entropy = 4, vsock = 19 };

// virtio-mmio registers (4.2.2).
struct TransportState {
  std::uint32_t deviceFeaturesSelect = 0, driverFeaturesSelect = 0;
  std::uint64_t driverFeatures = 0;
  std::uint32_t queueSelect = 0;
  std::uint32_t status = 0;
  std::uint32_t interruptStatus = 0;
  std::uint32_t configGeneration = 0;
  std::vector<QueueState> queues;
  bool operator==(const TransportState&) const = default;
};

struct BlockState {
  std::uint64_t capacitySectors = 0;  // of 512 bytes; the file must have as many when the device is restored
  bool readOnly = false;
  std::string id;  // what GET_ID answers, at most 20 bytes
  bool operator==(const BlockState&) const = default;
};

struct NetState {
  std::array<std::uint8_t, 6> mac{};
  bool operator==(const NetState&) const = default;
};

struct EntropyState {
  // Where bytes follow from a seed: where their sequence stands. Else they are the host's.
  bool hasSequence = false;
  std::uint64_t sequence = 0;
  bool operator==(const EntropyState&) const = default;
};

// One vsock connection as both sides count it (5.10.6.3). Only the agent's survives a restore.
struct VsockConnection {
  std::uint32_t hostPort = 0, guestPort = 0;
  std::uint32_t receivedBytes = 0;       // by the host's side from the guest: our fwd_cnt
  std::uint32_t announcedBytes = 0;      // the fwd_cnt that the guest was last told
  std::uint32_t sentBytes = 0;           // to the guest: our tx_cnt
  std::uint32_t peerBufferBytes = 0;     // the guest's buf_alloc
  std::uint32_t peerForwardedBytes = 0;  // the guest's fwd_cnt
  bool operator==(const VsockConnection&) const = default;
};

// A connection of which the guest may know, by its two ends.
struct VsockPorts {
  std::uint32_t hostPort = 0, guestPort = 0;
  auto operator<=>(const VsockPorts&) const = default;
};

struct VsockState {
  std::uint64_t guestCid = 3;
  std::vector<VsockConnection> kept;  // none, or the agent's
  std::vector<VsockPorts> toReset;    // what else was open: each is sent a RST after the restore, in this order
  std::uint32_t nextHostPort = std::uint32_t{1} << 30;  // continues, so that no pair of ports is used twice
  bool operator==(const VsockState&) const = default;
};

using DeviceState = std::variant<BlockState, NetState, EntropyState, VsockState>;

}  // namespace qm::virtio
