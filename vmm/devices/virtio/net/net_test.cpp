#include "vmm/devices/virtio/net/net.h"

#include <string>

#include <gtest/gtest.h>

#include "vmm/devices/virtio/fake_driver.h"
#include "vmm/os/tap.h"

namespace qm::virtio {
namespace {

constexpr std::uint16_t kReceive = 0, kTransmit = 1;
constexpr NetState kState{.mac = {0x06, 0, 0xac, 0x10, 0, 2}};

// A header that asks for everything: what neither side may let through.
const std::string kGreedyHeader(kTapHeaderBytes, '\xff');

std::string frameOf(std::size_t bytes, char letter) {
  return std::string(bytes, letter);
}

std::string text(std::span<const std::byte> bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// A guest's network interface, its driver ready, and the wire's other end.
struct Interface {
  Interface() {
    auto [tap, end] = frameSocketPair().value();
    wire = std::move(end);
    auto net = Net::create(*loop, std::move(tap), kState).value();
    device = net.get();
    transport = MmioTransport::create(std::move(net), {memory, line, log, "eth0"}).value();
    driver = std::make_unique<FakeDriver>(memory, *transport);
    driver->start();
  }

  // The loop looks once at everything that is ready.
  void turn() const {
    loop->stop();
    loop->run();
  }
  void send(const std::string& frame) const {
    const std::string whole = kGreedyHeader + frame;
    ASSERT_TRUE(writeFrame(wire, std::as_bytes(std::span(whole))).has_value());
  }
  // What the guest sent, with its header; empty when there is nothing.
  std::string sent() const {
    std::vector<std::byte> bytes(1 << 16);
    const auto count = readFrame(wire, bytes);
    return count.has_value() ? text(std::span(bytes).first(*count)) : "";
  }
  std::string bufferText(const FakeDriver::Chain& chain, std::size_t bytes) const {
    return text(driver->readBytes(chain.address(0), bytes));
  }

  std::unique_ptr<EventLoop> loop = EventLoop::create().value();
  FileDescriptor wire;
  GuestMemory memory = GuestMemory::anonymous(16 << 20).value();
  FakeLevelLine line;
  Log log = Log::silent();
  Net* device = nullptr;
  std::unique_ptr<MmioTransport> transport;
  std::unique_ptr<FakeDriver> driver;
};

TEST(Net, ItsMacStandsInTheConfigSpaceAndInWhatIsSaved) {
  const Interface net;
  EXPECT_EQ(net.driver->readRegister(0x100), 0x10ac'0006U);
  EXPECT_EQ(net.driver->readRegister(0x104), 0x0200U);
  EXPECT_EQ(std::get<NetState>(net.transport->saveDevice()), kState);
}

TEST(Net, AFrameOfTheGuestReachesTheTapWithoutTheGuestsWishes) {
  Interface net;
  FakeDriver::Chain(*net.driver, kTransmit).readable(kGreedyHeader).readable(frameOf(60, 'g')).offer();
  net.driver->ring(kTransmit);
  EXPECT_EQ(net.sent(), std::string(kTapHeaderBytes, '\0') + frameOf(60, 'g'));
  EXPECT_EQ(net.driver->takeUsed(kTransmit)->second, 0U);
  EXPECT_EQ(net.device->counters().framesFromGuest, 1U);
  EXPECT_EQ(net.device->counters().bytesFromGuest, 60U);
}

TEST(Net, AFrameScatteredOverAnIndirectTableIsSentWhole) {
  Interface net;
  FakeDriver::Chain(*net.driver, kTransmit).readable(kGreedyHeader + "ab").readable(frameOf(30, 'c')).offerIndirect();
  net.driver->ring(kTransmit);
  EXPECT_EQ(net.sent(), std::string(kTapHeaderBytes, '\0') + "ab" + frameOf(30, 'c'));
}

TEST(Net, AFrameOfTheHostLandsBehindAHeaderOfOneBuffer) {
  Interface net;
  FakeDriver::Chain buffer(*net.driver, kReceive);
  buffer.writable(1526).offer();
  net.driver->ring(kReceive);
  net.send(frameOf(60, 'h'));
  net.turn();
  EXPECT_EQ(net.bufferText(buffer, 72), std::string(10, '\0') + std::string("\1\0", 2) + frameOf(60, 'h'));
  EXPECT_EQ(net.driver->takeUsed(kReceive)->second, 72U);
  EXPECT_TRUE(net.line.isRaised());
  EXPECT_EQ(net.device->counters().bytesToGuest, 60U);
}

TEST(Net, FramesWaitInTheTapUntilTheDriverHasBuffers) {
  Interface net;
  FakeDriver::Chain(*net.driver, kReceive).writable(1526).offer();
  net.driver->ring(kReceive);
  net.send(frameOf(60, '1'));
  net.send(frameOf(61, '2'));
  net.turn();
  EXPECT_TRUE(net.driver->takeUsed(kReceive).has_value());
  EXPECT_FALSE(net.driver->takeUsed(kReceive).has_value());
  FakeDriver::Chain(*net.driver, kReceive).writable(1526).offer();
  net.driver->ring(kReceive);
  net.turn();
  EXPECT_EQ(net.driver->takeUsed(kReceive)->second, kTapHeaderBytes + 61U);
}

TEST(Net, AFrameLargerThanTheBufferIsDroppedAndTheBufferServesTheNext) {
  Interface net;
  FakeDriver::Chain(*net.driver, kReceive).writable(100).offer();
  net.driver->ring(kReceive);
  net.send(frameOf(89, 'L'));
  net.send(frameOf(88, 's'));
  net.turn();
  EXPECT_EQ(net.driver->takeUsed(kReceive)->second, 100U);
  EXPECT_EQ(net.device->counters().tooLargeForGuest, 1U);
}

TEST(Net, WhatIsNoFrameIsDroppedInBothDirections) {
  Interface net;
  FakeDriver::Chain(*net.driver, kReceive).writable(1 << 18).offer();
  FakeDriver::Chain(*net.driver, kTransmit).readable(kGreedyHeader + frameOf(13, 's')).offer();
  FakeDriver::Chain(*net.driver, kTransmit).readable(kGreedyHeader).readable(frameOf(70'000, 'L')).offer();
  FakeDriver::Chain(*net.driver, kTransmit).writable(100).offer();
  net.driver->ring(kTransmit);
  net.send(frameOf(13, 's'));
  net.send(frameOf(70'000, 'L'));
  net.turn();
  EXPECT_EQ(net.sent(), "");
  EXPECT_EQ(net.device->counters().malformedFromGuest, 3U);
  EXPECT_EQ(net.device->counters().malformedFromHost, 2U);
  EXPECT_FALSE(net.driver->takeUsed(kReceive).has_value());
  EXPECT_FALSE(net.driver->needsReset());
}

TEST(Net, AFullTapLosesFramesAndHoldsNobodyUp) {
  Interface net;
  constexpr int kMoreThanASocketHolds = 1000;
  for (int i = 0; i < kMoreThanASocketHolds; ++i) {
    FakeDriver::Chain(*net.driver, kTransmit).readable(kGreedyHeader + frameOf(1500, 'f')).offer();
    net.driver->ring(kTransmit);
    ASSERT_TRUE(net.driver->takeUsed(kTransmit).has_value());
  }
  const NetCounters& counters = net.device->counters();
  EXPECT_GT(counters.refusedByHost, 0U);
  EXPECT_EQ(counters.refusedByHost + counters.framesFromGuest, 1000U);
}

TEST(Net, ABufferOutsideOfRamFailsTheDeviceAndAResetBringsItBack) {
  Interface net;
  constexpr std::uint16_t kWritable = 2;
  FakeDriver::Chain(*net.driver, kReceive).raw(1ULL << 40U, 1526, kWritable).offer();
  net.driver->ring(kReceive);
  net.send(frameOf(60, 'h'));
  net.turn();
  EXPECT_TRUE(net.driver->needsReset());
  net.turn();  // the watch finds the device inactive and ends

  net.driver = std::make_unique<FakeDriver>(net.memory, *net.transport);
  net.driver->resetDevice();
  ASSERT_TRUE(net.memory.writeObject(fakeQueueLayout(kReceive).available, std::uint32_t{0}).has_value());
  net.driver->start();
  FakeDriver::Chain(*net.driver, kReceive).writable(1526).offer();
  net.driver->ring(kReceive);
  net.turn();
  EXPECT_EQ(net.device->counters().framesToGuest, 1U);
}

TEST(Net, ATapWhoseOtherEndIsGoneFailsTheDevice) {
  Interface net;
  FakeDriver::Chain(*net.driver, kReceive).writable(1526).offer();
  net.driver->ring(kReceive);
  net.wire.close();
  net.turn();
  EXPECT_TRUE(net.driver->needsReset());
  EXPECT_EQ(net.transport->failures(), 1U);
}

TEST(Net, ARestoredInterfaceReceivesIntoTheBuffersThatItsGuestHadOffered) {
  Interface net;
  FakeDriver::Chain buffer(*net.driver, kReceive);
  buffer.writable(1526).offer();
  net.driver->ring(kReceive);

  auto [tap, wire] = frameSocketPair().value();
  FakeLevelLine line;
  const auto state = std::get<NetState>(net.transport->saveDevice());
  const auto restored = MmioTransport::restore(Net::create(*net.loop, std::move(tap), state).value(),
                                               {net.memory, line, net.log, "eth0"}, net.transport->save())
                            .value();
  net.wire = std::move(wire);
  net.send(frameOf(60, 'r'));
  net.turn();
  EXPECT_FALSE(line.isRaised()) << "the machine does not run yet";
  restored->kick();
  restored->serviceDoorbell();
  net.turn();
  EXPECT_TRUE(line.isRaised());
  EXPECT_EQ(net.bufferText(buffer, 72).substr(kTapHeaderBytes), frameOf(60, 'r'));
}

}  // namespace
}  // namespace qm::virtio
