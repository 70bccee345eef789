#include "tests/attack/guest/vsock_driver.h"

#include <unistd.h>

#include <algorithm>
#include <cstring>

namespace hostile {

namespace {

constexpr std::uint32_t kVsockKind = 19;
// A page for all of a queue's buffers.
constexpr std::uint32_t kSlotBytes = 256;
constexpr std::uint32_t kMostPayload = 200;

}  // namespace

VsockDriver::VsockDriver(const Window& where)
    : window(where), incoming(where, 0), outgoing(where, 1), events(where, 2) {}

void VsockDriver::start(std::uint16_t receiveBuffers) {
  sent_ = received_ = 0;
  beginDevice(window);
  incoming.place();
  outgoing.place();
  events.place(8);
  readyDevice(window);
  for (std::uint16_t i = 0; i < receiveBuffers; ++i) {
    incoming.describe(
        i, {.address = incoming.buffer().address + i * kSlotBytes, .length = kSlotBytes, .flags = kWritten, .next = 0});
    incoming.offer(i);
  }
}

void VsockDriver::send(const Packet& packet, std::uint32_t payload) {
  const auto slot = static_cast<std::uint16_t>(sent_ % Queue::kSize);
  // The slot may be one that the device has not read yet.
  if (slot == 0 && sent_ != 0) outgoing.await();
  ++sent_;
  std::memcpy(outgoing.buffer().bytes + slot * kSlotBytes, &packet, kPacketHeaderBytes);
  outgoing.describe(slot, {.address = outgoing.buffer().address + slot * kSlotBytes,
                           .length = kPacketHeaderBytes + std::min(payload, kMostPayload),
                           .flags = 0,
                           .next = 0});
  outgoing.offer(slot);
}

std::optional<Packet> VsockDriver::receive() {
  if (incoming.used() == received_) return std::nullopt;
  const auto slot = static_cast<std::uint16_t>(incoming.usedHead(received_) % Queue::kSize);
  ++received_;
  Packet packet;
  std::memcpy(&packet, incoming.buffer().bytes + slot * kSlotBytes, kPacketHeaderBytes);
  incoming.offer(slot);
  return packet;
}

void VsockDriver::drain() {
  while (receive().has_value()) {
  }
}

std::optional<Packet> VsockDriver::await(PacketOperation operation, std::uint32_t port) {
  constexpr int kPatience = 10'000;
  for (int i = 0; i < kPatience; ++i) {
    for (std::optional<Packet> packet = receive(); packet.has_value(); packet = receive()) {
      if (packet->operation == operation && (port == packet->destinationPort || port == 0)) return packet;
    }
    ::usleep(500);
  }
  return std::nullopt;
}

bool VsockDriver::connect(std::uint32_t port) {
  send({.sourcePort = port, .destinationPort = kListenedPort, .operation = kRequest});
  if (await(kResponse, port).has_value()) return true;
  say("there is no connection to the host");
  return false;
}

void withVsock(void (*deed)(VsockDriver&)) {
  const Window* const window = windowOf(kVsockKind);
  if (window == nullptr) return;
  VsockDriver driver(*window);
  deed(driver);
  // Whatever it was, a driver that begins again has a device that works.
  driver.start();
  constexpr std::uint32_t kPort = 77;
  driver.send({.sourcePort = kPort, .destinationPort = kLonelyPort, .operation = kRequest});
  if (!driver.await(kReset, kPort).has_value()) say("there is no life in the device");
  window->write32(kStatus, 0);
}

}  // namespace hostile
