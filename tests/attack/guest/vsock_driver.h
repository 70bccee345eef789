// A vsock device as a driver has it (virtio 1.2, 5.10), with nothing checked: packets are sent as they are given.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "tests/attack/guest/virtio_queue.h"

namespace hostile {

enum PacketOperation : std::uint16_t {
  kRequest = 1,
  kResponse = 2,
  kReset = 3,
  kShutdown = 4,
  kData = 5,
  kCreditUpdate = 6,
  kCreditRequest = 7,
};

inline constexpr std::uint32_t kPacketHeaderBytes = 44;

// A header, field by field as on the wire (5.10.6); its length is what it claims.
struct Packet {
  std::uint64_t sourceCid = 3, destinationCid = 2;
  std::uint32_t sourcePort = 0, destinationPort = 0;
  std::uint32_t length = 0;
  std::uint16_t type = 1;
  std::uint16_t operation = 0;
  std::uint32_t flags = 0;
  std::uint32_t bufferBytes = 64 * 1024;
  std::uint32_t forwardedBytes = 0;
};
static_assert(offsetof(Packet, forwardedBytes) + sizeof(std::uint32_t) == kPacketHeaderBytes);

// Ports of the host: a program of the test listens at one, nobody at the other.
inline constexpr std::uint32_t kListenedPort = 9, kLonelyPort = 10;

class VsockDriver {
 public:
  explicit VsockDriver(const Window& where);

  // All three queues; the host may send until so many receive buffers are used up, each of which is given again as
  // soon as receive() has read it.
  void start(std::uint16_t receiveBuffers = Queue::kSize);
  // So many bytes of nothing in particular follow the header, at most 200.
  void send(const Packet& packet, std::uint32_t payload = 0);
  // The next packet of the host, if there is one.
  std::optional<Packet> receive();
  void drain();
  // A packet of that operation to that port of ours: waited for, not for long; others are dropped.
  std::optional<Packet> await(PacketOperation operation, std::uint32_t port);
  // From that port of ours to the one that the host listens at; whether it took it.
  bool connect(std::uint32_t port);

  const Window& window;
  Queue incoming;
  Queue outgoing;
  Queue events;

 private:
  std::uint16_t sent_ = 0;
  std::uint16_t received_ = 0;
};

// Says so when the machine has no vsock device.
void withVsock(void (*deed)(VsockDriver&));

}  // namespace hostile
