#include "vmm/devices/virtio/mmio_transport.h"

#include <algorithm>
#include <string>

#include <gtest/gtest.h>

#include "vmm/devices/virtio/entropy/entropy.h"
#include "vmm/devices/virtio/fake_driver.h"

namespace qm::virtio {
namespace {

struct Machine {
  GuestMemory memory = GuestMemory::anonymous(16 << 20).value();
  FakeLevelLine line;
  Log log = Log::silent();
  std::unique_ptr<MmioTransport> transport =
      MmioTransport::create(std::make_unique<Entropy>(), {memory, line, log, "rng"}).value();
  FakeDriver driver{memory, *transport};
};

TEST(MmioTransport, SaysWhoItIs) {
  Machine machine;
  EXPECT_EQ(machine.driver.readRegister(0x00), 0x74726976U);
  EXPECT_EQ(machine.driver.readRegister(0x04), 2U);
  EXPECT_EQ(machine.driver.readRegister(0x08), 4U);
  EXPECT_EQ(machine.driver.readRegister(0x34), 64U);
  EXPECT_EQ(machine.driver.readRegister(0xb0), 0xffffffffU);
}

TEST(MmioTransport, ADriverThatDeclinesVersionOneDoesNotGetFeaturesOk) {
  Machine machine;
  machine.driver.negotiate(kFeatureVersion1);
  EXPECT_EQ(machine.driver.readRegister(0x70) & 8U, 0U);
}

TEST(MmioTransport, ADriverThatTakesWhatWasNotOfferedDoesNotGetFeaturesOk) {
  Machine machine;
  machine.driver.writeRegister(0x24, 0);
  machine.driver.writeRegister(0x20, 0x8000'0000);
  machine.driver.writeRegister(0x24, 1);
  machine.driver.writeRegister(0x20, 1);
  machine.driver.writeRegister(0x70, 0xb);
  EXPECT_EQ(machine.driver.readRegister(0x70) & 8U, 0U);
}

TEST(MmioTransport, ADriverThatSkipsNegotiationFails) {
  Machine machine;
  machine.driver.writeRegister(0x70, 7);
  EXPECT_TRUE(machine.driver.needsReset());
}

TEST(MmioTransport, ADriverThatFailsItAgainAndAgainDoesNotFillTheLog) {
  Machine machine{.log = Log::toStandardError(LogLevel::info)};
  testing::internal::CaptureStderr();
  for (int i = 0; i < 1000; ++i) {
    machine.driver.writeRegister(0x70, 0);
    machine.driver.writeRegister(0x70, 7);
  }
  const std::string log = testing::internal::GetCapturedStderr();
  EXPECT_EQ(machine.transport->failures(), 1000U);
  EXPECT_EQ(std::ranges::count(log, '\n'), 10) << "1, 2, 4, … 512";
  EXPECT_TRUE(log.contains("times=512")) << log;
}

TEST(MmioTransport, TheInterruptStaysRaisedUntilItIsAcknowledged) {
  Machine machine;
  machine.driver.start();
  FakeDriver::Chain(machine.driver, 0).writable(8).offer();
  machine.driver.ring();
  EXPECT_TRUE(machine.line.isRaised());
  EXPECT_EQ(machine.driver.readRegister(0x60), 1U);
  machine.driver.acknowledgeInterrupt();
  EXPECT_FALSE(machine.line.isRaised());
}

TEST(MmioTransport, AQueueThatWasNotSelectedProperlyChangesNothing) {
  Machine machine;
  machine.driver.writeRegister(0x30, 7);
  machine.driver.writeRegister(0x38, 8);
  machine.driver.writeRegister(0x44, 1);
  EXPECT_EQ(machine.driver.readRegister(0x44), 0U);
  EXPECT_EQ(machine.driver.readRegister(0x34), 0U);
  EXPECT_EQ(machine.transport->save(), (TransportState{.queueSelect = 7, .queues = {QueueState{}}}));
}

TEST(MmioTransport, SaveRestoreSaveGivesTheSame) {
  Machine machine;
  machine.driver.start();
  FakeDriver::Chain(machine.driver, 0).writable(8).offer();
  machine.driver.ring();
  const TransportState saved = machine.transport->save();
  EXPECT_EQ(saved.queues[0].nextUsed, 1);
  FakeLevelLine line;
  const auto restored =
      MmioTransport::restore(std::make_unique<Entropy>(), {machine.memory, line, machine.log, "rng"}, saved).value();
  EXPECT_EQ(restored->save(), saved);
  EXPECT_TRUE(line.isRaised());
}

TEST(MmioTransport, AStateOfAnotherDeviceIsRefused) {
  Machine machine;
  TransportState state = machine.transport->save();
  state.queues.resize(3);
  EXPECT_FALSE(
      MmioTransport::restore(std::make_unique<Entropy>(), {machine.memory, machine.line, machine.log, "rng"}, state)
          .has_value());
  state = machine.transport->save();
  state.driverFeatures = 1;
  state.status = 0xb;
  EXPECT_FALSE(
      MmioTransport::restore(std::make_unique<Entropy>(), {machine.memory, machine.line, machine.log, "rng"}, state)
          .has_value());
}

TEST(MmioTransport, ADriverThatAskedForUnknownFeaturesAndWasNotGivenThemCanBeRestored) {
  Machine machine;
  machine.driver.writeRegister(0x20, 1);
  machine.driver.writeRegister(0x70, 0xb);
  const TransportState saved = machine.transport->save();
  FakeLevelLine line;
  const auto restored =
      MmioTransport::restore(std::make_unique<Entropy>(), {machine.memory, line, machine.log, "rng"}, saved);
  ASSERT_TRUE(restored.has_value());
  EXPECT_EQ((*restored)->save(), saved);
}

TEST(MmioTransport, NoStatusBitIsClearedButByAReset) {
  Machine machine;
  machine.driver.start();
  machine.driver.writeRegister(0x70, 1);
  EXPECT_EQ(machine.driver.readRegister(0x70), 0xfU);
  machine.driver.resetDevice();
  EXPECT_EQ(machine.driver.readRegister(0x70), 0U);
}

TEST(MmioTransport, OddAccessesAreHarmless) {
  Machine machine;
  EXPECT_EQ(machine.transport->read(0x00, 1), 0U);
  EXPECT_EQ(machine.transport->read(0x02, 4), 0U);
  machine.transport->write(0x70, 1, 0xff);
  EXPECT_EQ(machine.driver.readRegister(0x70), 0U);
  EXPECT_EQ(machine.transport->read(0xff8, 8), 0U);
}

}  // namespace
}  // namespace qm::virtio
