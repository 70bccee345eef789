#include "vmm/devices/virtio/entropy/entropy.h"

#include <gtest/gtest.h>

#include "vmm/devices/virtio/fake_driver.h"

namespace qm::virtio {
namespace {

TEST(Entropy, EachRequestGetsOtherBytesAndNoMoreThanTheBound) {
  GuestMemory memory = GuestMemory::anonymous(16 << 20).value();
  FakeLevelLine line;
  const Log log = Log::silent();
  const auto transport = MmioTransport::create(std::make_unique<Entropy>(), {memory, line, log, "rng"}).value();
  FakeDriver driver(memory, *transport);
  driver.start();
  FakeDriver::Chain first(driver, 0), second(driver, 0), large(driver, 0);
  first.writable(32).offer();
  second.writable(32).offer();
  large.writable(1 << 20).offer();
  driver.ring();
  EXPECT_NE(driver.readBytes(first.address(0), 32), driver.readBytes(second.address(0), 32));
  driver.takeUsed();
  EXPECT_EQ(driver.takeUsed()->second, 32U);
  EXPECT_EQ(driver.takeUsed()->second, 65536U);
  EXPECT_EQ(line.history, std::vector{true});
}

std::vector<std::byte> bytesOf(std::unique_ptr<Entropy> entropy, EntropyState& after) {
  GuestMemory memory = GuestMemory::anonymous(16 << 20).value();
  FakeLevelLine line;
  const Log log = Log::silent();
  const auto transport = MmioTransport::create(std::move(entropy), {memory, line, log, "rng"}).value();
  FakeDriver driver(memory, *transport);
  driver.start();
  FakeDriver::Chain chain(driver, 0);
  chain.writable(32).offer();
  driver.ring();
  after = std::get<EntropyState>(transport->saveDevice());
  return driver.readBytes(chain.address(0), 32);
}

TEST(Entropy, ASavedSequenceGoesOnInsteadOfTheSeeds) {
  EntropyState first, second, again;
  const std::vector<std::byte> begun = bytesOf(std::make_unique<Entropy>(7), first);
  const std::vector<std::byte> goneOn = bytesOf(std::make_unique<Entropy>(8, first), second);
  EXPECT_TRUE(first.hasSequence);
  EXPECT_NE(first, second);
  EXPECT_NE(begun, goneOn);
  EXPECT_EQ(bytesOf(std::make_unique<Entropy>(9, first), again), goneOn);
  EXPECT_EQ(again, second);
}

// A clone must not have the numbers of the next one.
TEST(Entropy, ASavedSequenceEndsWhereBytesAreTheHosts) {
  EntropyState saved, one, other;
  bytesOf(std::make_unique<Entropy>(7), saved);
  const std::vector<std::byte> bytes = bytesOf(std::make_unique<Entropy>(std::nullopt, saved), one);
  EXPECT_NE(bytes, bytesOf(std::make_unique<Entropy>(std::nullopt, saved), other));
  EXPECT_FALSE(one.hasSequence);
}

}  // namespace
}  // namespace qm::virtio
