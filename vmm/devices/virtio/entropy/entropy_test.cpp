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

}  // namespace
}  // namespace qm::virtio
