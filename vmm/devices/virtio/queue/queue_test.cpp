#include "vmm/devices/virtio/queue/queue.h"

#include <gtest/gtest.h>

#include "vmm/devices/virtio/entropy/entropy.h"
#include "vmm/devices/virtio/fake_driver.h"

namespace qm::virtio {
namespace {

constexpr std::uint16_t kNext = 1, kWrite = 2, kIndirect = 4;

// An entropy device, the simplest there is, whose driver can be made to misbehave.
struct Machine {
  explicit Machine(std::uint64_t without = 0) { driver.start(8, without); }
  // Whether the device failed, and no sooner than at the ring.
  bool failsAtRing() {
    const bool before = driver.needsReset();
    driver.ring();
    return !before && driver.needsReset() && transport->failures() == 1;
  }

  GuestMemory memory = GuestMemory::anonymous(16 << 20).value();
  FakeLevelLine line;
  Log log = Log::silent();
  std::unique_ptr<MmioTransport> transport =
      MmioTransport::create(std::make_unique<Entropy>(), {memory, line, log, "rng"}).value();
  FakeDriver driver{memory, *transport};
};

TEST(Queue, AnIndirectChainIsServedAsADirectOne) {
  Machine machine;
  FakeDriver::Chain(machine.driver, 0).writable(16).writable(16).offerIndirect();
  machine.driver.ring();
  EXPECT_EQ(machine.driver.takeUsed()->second, 32U);
}

TEST(Queue, ADriverThatWantsNoInterruptGetsNone) {
  Machine machine(kFeatureEventIndex);
  ASSERT_TRUE(machine.memory.storeRelease16(fakeQueueLayout(0).available, 1).has_value());
  FakeDriver::Chain(machine.driver, 0).writable(16).offer();
  machine.driver.ring();
  EXPECT_TRUE(machine.driver.takeUsed().has_value());
  EXPECT_FALSE(machine.line.isRaised());
}

TEST(Queue, TheEventIndexDelaysTheInterruptUntilTheDriversMark) {
  Machine machine;
  const GuestAddress usedEvent = fakeQueueLayout(0).available + 4 + 2 * 8;
  ASSERT_TRUE(machine.memory.storeRelease16(usedEvent, 1).has_value());
  FakeDriver::Chain(machine.driver, 0).writable(16).offer();
  machine.driver.ring();
  EXPECT_FALSE(machine.line.isRaised());
  FakeDriver::Chain(machine.driver, 0).writable(16).offer();
  machine.driver.ring();
  EXPECT_TRUE(machine.line.isRaised());
}

TEST(Queue, TheDeviceTellsTheDriverWhenToRingNext) {
  Machine machine;
  FakeDriver::Chain(machine.driver, 0).writable(16).offer();
  machine.driver.ring();
  const GuestAddress availableEvent = fakeQueueLayout(0).used + 4 + 8 * 8;
  EXPECT_EQ(machine.memory.loadAcquire16(availableEvent).value(), 1);
}

TEST(HostileQueue, ALoopFailsTheDevice) {
  Machine machine;
  machine.driver.writeDescriptor(0, 0, 0x400000, 16, kNext | kWrite, 1);
  machine.driver.writeDescriptor(0, 1, 0x400000, 16, kNext | kWrite, 0);
  machine.driver.offerHead(0, 0);
  EXPECT_TRUE(machine.failsAtRing());
}

TEST(HostileQueue, ADescriptorBeyondTheTableFailsTheDevice) {
  Machine machine;
  machine.driver.offerHead(0, 8);
  EXPECT_TRUE(machine.failsAtRing());
}

TEST(HostileQueue, ABufferOutsideOfMemoryFailsTheDevice) {
  for (const std::uint64_t address : {0xc000'0000ULL, ~0ULL - 8, (16ULL << 20U) - 8}) {
    Machine machine;
    FakeDriver::Chain(machine.driver, 0).raw(address, 16, kWrite).offer();
    EXPECT_TRUE(machine.failsAtRing()) << address;
  }
}

TEST(HostileQueue, AHugeLengthFailsTheDevice) {
  Machine machine;
  FakeDriver::Chain(machine.driver, 0).raw(0x400000, 0xffff'ffff, kWrite).offer();
  EXPECT_TRUE(machine.failsAtRing());
}

TEST(HostileQueue, AReadableBufferBehindAWritableOneFailsTheDevice) {
  Machine machine;
  FakeDriver::Chain(machine.driver, 0).writable(16).readable("late").offer();
  EXPECT_TRUE(machine.failsAtRing());
}

TEST(HostileQueue, MoreRequestsThanTheQueueHoldsFailTheDevice) {
  Machine machine;
  ASSERT_TRUE(machine.memory.storeRelease16(fakeQueueLayout(0).available + 2, 9).has_value());
  EXPECT_TRUE(machine.failsAtRing());
}

TEST(HostileQueue, AnIndirectTableWithinAnotherFailsTheDevice) {
  Machine machine;
  FakeDriver::Chain(machine.driver, 0).raw(0x400000, 16, kIndirect).offerIndirect();
  EXPECT_TRUE(machine.failsAtRing());
}

TEST(HostileQueue, AnIndirectTableOfNoWholeDescriptorsFailsTheDevice) {
  for (const std::uint32_t bytes : {0U, 15U, 24U}) {
    Machine machine;
    FakeDriver::Chain(machine.driver, 0).raw(0x400000, bytes, kIndirect).offer();
    EXPECT_TRUE(machine.failsAtRing()) << bytes;
  }
}

TEST(HostileQueue, AnIndirectChainLongerThanTheQueueFailsTheDevice) {
  Machine machine;
  FakeDriver::Chain chain(machine.driver, 0);
  for (int i = 0; i < 9; ++i) chain.writable(16);
  chain.offerIndirect();
  EXPECT_TRUE(machine.failsAtRing());
}

TEST(HostileQueue, AnIndirectTableThatWasNotAgreedOnFailsTheDevice) {
  Machine machine(kFeatureIndirect);
  FakeDriver::Chain(machine.driver, 0).writable(16).offerIndirect();
  EXPECT_TRUE(machine.failsAtRing());
}

TEST(HostileQueue, AFailedDeviceComesBackByAReset) {
  Machine machine;
  machine.driver.offerHead(0, 8);
  ASSERT_TRUE(machine.failsAtRing());
  EXPECT_TRUE(machine.line.isRaised());
  machine.driver.resetDevice();
  EXPECT_FALSE(machine.line.isRaised());
  ASSERT_TRUE(machine.memory.storeRelease16(fakeQueueLayout(0).available + 2, 0).has_value());
  FakeDriver again(machine.memory, *machine.transport);
  again.start();
  FakeDriver::Chain(again, 0).writable(16).offer();
  again.ring();
  EXPECT_TRUE(again.takeUsed().has_value());
}

// Rings that a queue cannot have, found when the driver says that it is ready.
TEST(HostileQueue, ImpossibleRingsFailTheDeviceAtDriverOk) {
  const FakeQueueLayout good = fakeQueueLayout(0);
  struct Case {
    const char* what;
    std::uint16_t size;
    FakeQueueLayout layout;
  };
  const Case cases[]{{"size 0", 0, good},
                     {"size 3", 3, good},
                     {"size 128, more than offered", 128, good},
                     {"misaligned table", 8, {good.descriptors + 8, good.available, good.used}},
                     {"misaligned used ring", 8, {good.descriptors, good.available, good.used + 2}},
                     {"used ring over the table", 8, {good.descriptors, good.available, good.descriptors + 64}},
                     {"used ring over the available ring", 8, {good.descriptors, good.available, good.available + 4}},
                     {"table at the end of memory", 8, {GuestAddress{(16 << 20) - 16}, good.available, good.used}},
                     {"ring in the hole", 8, {good.descriptors, GuestAddress{0xc000'0000}, good.used}}};
  for (const Case& bad : cases) {
    GuestMemory memory = GuestMemory::anonymous(16 << 20).value();
    FakeLevelLine line;
    const Log log = Log::silent();
    const auto transport = MmioTransport::create(std::make_unique<Entropy>(), {memory, line, log, "rng"}).value();
    FakeDriver driver(memory, *transport);
    driver.negotiate();
    driver.setUpQueue(0, bad.size, bad.layout);
    driver.setDriverOk();
    EXPECT_TRUE(driver.needsReset()) << bad.what;
  }
}

}  // namespace
}  // namespace qm::virtio
