// What every test of the muxer starts from: a loop, a muxer with its socket in a folder of its own, and a guest of
// which only packets and receive buffers exist.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include <gtest/gtest.h>

#include "vmm/devices/virtio/vsock/muxer.h"
#include "vmm/loop/event_loop.h"
#include "vmm/os/stream_socket.h"
#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/unix_socket.h"

namespace qm::vsock {

inline constexpr std::uint64_t kGuestCid = 3;  // what a fresh VsockState has
inline constexpr std::uint32_t kAgentPort = 5200;
inline constexpr std::uint32_t kFirstHostPort = 1U << 30;

inline std::span<const std::byte> bytesOf(std::string_view text) {
  return std::as_bytes(std::span(text));
}
inline std::string textOf(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

// The guest's driver, as far as the muxer sees it: so many receive buffers of one size, and all that ever came.
class FakeGuest final : public GuestSide {
 public:
  struct Packet {
    Header header;
    std::string payload;
  };
  std::optional<std::size_t> room() override { return buffers == 0 ? std::nullopt : std::optional(bufferBytes); }
  void deliver(const Header& header, std::span<const std::byte> payload) override {
    --buffers;
    packets.push_back({.header = header, .payload = textOf(payload)});
  }
  void onNextTurn() override { muxer->pump(); }

  std::size_t buffers = 100'000;
  std::size_t bufferBytes = 4052;  // what a Linux driver's buffers leave
  std::deque<Packet> packets;
  Muxer* muxer = nullptr;
};

class VsockMuxer : public ::testing::Test {
 protected:
  VsockMuxer() {
    config_ = {.socketPath = folder_.path() / "v.sock", .agentPort = kAgentPort, .answerTime = std::chrono::hours(1)};
    start({});
  }

  void start(const virtio::VsockState& state) {
    muxer_.reset();
    muxer_ = Muxer::create(*loop_, config_, state, guest_, counters_).value();
    guest_.muxer = muxer_.get();
  }
  // Lets the loop see all that is ready. Unix sockets have what was sent at once, so a few turns settle everything.
  void settle() {
    for (int turn = 0; turn < 8; ++turn) {
      loop_->stop();
      loop_->run();
    }
  }

  FileDescriptor client() { return connectUnix(config_.socketPath, Blocking::no).value(); }
  FileDescriptor clientOf(std::uint32_t port) {
    FileDescriptor made = client();
    send(made, "CONNECT " + std::to_string(port) + "\n");
    return made;
  }
  void send(const FileDescriptor& socket, std::string_view text) {
    EXPECT_EQ(sendSome(socket, bytesOf(text)).value(), text.size());
    settle();
  }
  // All that has arrived; "<end>" after it when the stream has ended.
  std::string arrived(const FileDescriptor& socket) {
    std::string text;
    for (;;) {
      std::array<std::byte, 4096> bytes;
      const auto count = readSome(socket, bytes);
      if (!count.has_value()) return text;
      if (*count == 0) return text + "<end>";
      text += textOf(std::span(bytes).first(*count));
    }
  }

  // The guest sends a packet of `operation` from its port.
  void guestSends(Operation operation, Ports ports, std::string_view payload = {}, std::uint32_t flags = 0) {
    guestSends({.sourceCid = kGuestCid,
                .destinationCid = kHostCid,
                .sourcePort = ports.guestPort,
                .destinationPort = ports.hostPort,
                .length = static_cast<std::uint32_t>(payload.size()),
                .operation = std::to_underlying(operation),
                .flags = flags,
                .bufferBytes = guestBuffer_,
                .forwardedBytes = guestForwarded_},
               payload);
  }
  void guestSends(const Header& header, std::string_view payload = {}) {
    muxer_->receive(header, bytesOf(payload));
    muxer_->pump();
    settle();
  }
  // The next packet that came to the guest; an empty one with operation 0 when there is none.
  FakeGuest::Packet next() {
    if (guest_.packets.empty()) return {};
    FakeGuest::Packet packet = std::move(guest_.packets.front());
    guest_.packets.pop_front();
    return packet;
  }
  Ports portsOf(const FakeGuest::Packet& packet) {
    return {.hostPort = packet.header.sourcePort, .guestPort = packet.header.destinationPort};
  }

  struct Talk {
    FileDescriptor host;
    Ports ports;
  };
  // A connection that a client of the host opened.
  Talk opened(std::uint32_t guestPort) {
    FileDescriptor host = clientOf(guestPort);
    const FakeGuest::Packet request = next();
    EXPECT_EQ(operationOf(request.header), Operation::request);
    guestSends(Operation::response, portsOf(request));
    EXPECT_TRUE(arrived(host).starts_with("OK "));
    return {.host = std::move(host), .ports = portsOf(request)};
  }

  test::TempFolder folder_;  // outlives the muxer, whose socket is in it
  MuxerConfig config_;
  std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
  FakeGuest guest_;
  Counters counters_;
  std::uint32_t guestBuffer_ = 256 * 1024;
  std::uint32_t guestForwarded_ = 0;
  std::unique_ptr<Muxer> muxer_;
};

}  // namespace qm::vsock
