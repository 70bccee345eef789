#include "vmm/devices/virtio/vsock/vsock_device.h"

#include <cstring>
#include <string>

#include <gtest/gtest.h>

#include "vmm/devices/virtio/fake_driver.h"
#include "vmm/os/stream_socket.h"
#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/unix_socket.h"

namespace qm::vsock {
namespace {

using virtio::FakeDriver;
using virtio::MmioTransport;

constexpr std::uint16_t kReceiveQueue = 0, kTransmitQueue = 1;

class VsockDeviceTest : public testing::Test {
 protected:
  VsockDeviceTest() {
    auto device = VsockDevice::create(*loop_, {.socketPath = folder_.path() / "v.sock", .agentPort = 5200}, {}).value();
    device_ = device.get();
    transport_ = MmioTransport::create(std::move(device), {memory_, line_, log_, "vsock"}).value();
    driver_.emplace(memory_, *transport_);
    driver_->start();
  }

  void turnLoop() {
    loop_->post([this] {
      loop_->at(std::chrono::steady_clock::now() + std::chrono::milliseconds(5), [this] { loop_->stop(); });
    });
    loop_->run();
  }
  Header packetAt(GuestAddress where) {
    std::array<std::byte, kHeaderBytes> bytes{};
    EXPECT_TRUE(memory_.read(where, bytes).has_value());
    return decodeHeader(bytes);
  }
  void transmit(const Header& header, std::string_view payload = "") {
    const auto bytes = encodeHeader(header);
    FakeDriver::Chain(*driver_, kTransmitQueue).readable(bytes).readable(payload).offer();
    driver_->ring(kTransmitQueue);
  }

  test::TempFolder folder_;  // outlives the device, whose socket is in it
  std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
  GuestMemory memory_ = GuestMemory::anonymous(16 << 20).value();
  FakeLevelLine line_;
  const Log log_ = Log::silent();
  VsockDevice* device_ = nullptr;
  std::unique_ptr<MmioTransport> transport_;
  std::optional<FakeDriver> driver_;
};

TEST_F(VsockDeviceTest, TellsTheGuestItsCid) {
  EXPECT_EQ(transport_->read(0x100, 4), 3U);
  EXPECT_EQ(transport_->read(0x104, 4), 0U);
  EXPECT_EQ(transport_->read(0x108, 4), 0U);
}

TEST_F(VsockDeviceTest, AnswersARequestThatNobodyListensToWithAReset) {
  FakeDriver::Chain buffer(*driver_, kReceiveQueue);
  buffer.writable(4096).offer();
  transmit({.sourceCid = 3, .destinationCid = 2, .sourcePort = 77, .destinationPort = 88, .operation = 1});
  EXPECT_TRUE(driver_->takeUsed(kTransmitQueue).has_value());
  ASSERT_TRUE(driver_->takeUsed(kReceiveQueue).has_value());
  const Header answer = packetAt(buffer.address(0));
  EXPECT_EQ(operationOf(answer), Operation::reset);
  EXPECT_EQ(answer.sourcePort, 88U);
  EXPECT_EQ(answer.destinationPort, 77U);
}

TEST_F(VsockDeviceTest, KeepsAnAnswerUntilTheDriverGivesABuffer) {
  transmit({.sourceCid = 3, .destinationCid = 2, .sourcePort = 77, .destinationPort = 88, .operation = 1});
  EXPECT_FALSE(driver_->takeUsed(kReceiveQueue).has_value());
  FakeDriver::Chain buffer(*driver_, kReceiveQueue);
  buffer.writable(4096).offer();
  driver_->ring(kReceiveQueue);
  EXPECT_TRUE(driver_->takeUsed(kReceiveQueue).has_value());
}

TEST_F(VsockDeviceTest, AClientOfTheHostReachesTheGuestOutsideOfAnyDoorbell) {
  FakeDriver::Chain buffer(*driver_, kReceiveQueue);
  buffer.writable(4096).offer();
  driver_->ring(kReceiveQueue);
  const FileDescriptor client = connectUnix(folder_.path() / "v.sock", Blocking::no).value();
  ASSERT_TRUE(sendSome(client, std::as_bytes(std::span(std::string_view("CONNECT 5200\n")))).has_value());
  turnLoop();
  ASSERT_TRUE(driver_->takeUsed(kReceiveQueue).has_value());
  EXPECT_EQ(operationOf(packetAt(buffer.address(0))), Operation::request);
  EXPECT_TRUE(line_.history.back());

  transport_->write(0x70, 4, 0);  // the driver gives up
  turnLoop();
  EXPECT_TRUE(isHungUp(client));
}

TEST_F(VsockDeviceTest, FailsForAPacketShorterThanItsHeader) {
  FakeDriver::Chain(*driver_, kTransmitQueue).readable("short").offer();
  driver_->ring(kTransmitQueue);
  EXPECT_TRUE(driver_->needsReset());
  EXPECT_EQ(transport_->failures(), 1U);
}

TEST_F(VsockDeviceTest, FailsForAReceiveBufferWithoutRoomForAHeader) {
  FakeDriver::Chain(*driver_, kReceiveQueue).writable(43).offer();
  transmit({.sourceCid = 3, .destinationCid = 2, .sourcePort = 77, .destinationPort = 88, .operation = 1});
  EXPECT_TRUE(driver_->needsReset());
}

}  // namespace
}  // namespace qm::vsock
