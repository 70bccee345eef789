#include "api/daemon/network/network_slots.h"

#include <array>
#include <chrono>
#include <optional>
#include <thread>

#include <gtest/gtest.h>

#include "vmm/os/tap.h"

namespace qm {
namespace {

class NetworkSlotsTest : public testing::Test {
 protected:
  void SetUp() override {
    const Result<SpawnerClient::MadeSlot> probe = spawner.makeSlot();
    if (!probe.has_value()) GTEST_SKIP() << probe.error().text();
  }
  static void awaitReady(const NetworkSlots& slots, std::uint32_t count) {
    for (int i = 0; i < 5000 && slots.ready() != count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    EXPECT_EQ(slots.ready(), count);
  }

  SpawnerClient spawner = SpawnerClient::start(QM_SPAWNER, {.isolation = Isolation::bare}).value();
};

TEST_F(NetworkSlotsTest, NoneIsMadeBeforeTheFirstIsWantedAndSomeAreKeptReadyFromThenOn) {
  NetworkSlots slots(spawner, 2, Log::silent());
  EXPECT_EQ(slots.ready(), 0U);
  const NetworkSlot first = slots.take().value();
  awaitReady(slots, 2);
  const NetworkSlot second = slots.take().value();
  awaitReady(slots, 2);
}

// Whatever a tenant left in a namespace would be the next one's if one were given twice.
TEST_F(NetworkSlotsTest, OneThatWasUsedIsClosedAndNeverGivenAgain) {
  NetworkSlots slots(spawner, 0, Log::silent());
  std::optional<NetworkSlot> used(slots.take().value());
  const FileDescriptor tap = used->tap().duplicate().value();
  const FileDescriptor socket = used->openSocket(network::SlotSocket::toGuest).value();
  used.reset();
  const NetworkSlot next = slots.take().value();
  ASSERT_TRUE(network::beginConnecting(socket, 80).has_value());
  std::array<std::byte, 2048> frame{};
  EXPECT_EQ(readFrame(next.tap(), frame).error().remedy(), Remedy::retry) << "the former tenant's socket";
  EXPECT_GT(readFrame(tap, frame).value_or(0), 0U);
}

}  // namespace
}  // namespace qm
