#include "api/daemon/network/guest_link.h"

#include <chrono>
#include <memory>

#include <gtest/gtest.h>

#include "vmm/os/wait.h"

namespace qm {
namespace {

using namespace std::chrono_literals;

// In its slot nobody answers: there is no VMM behind the tap.
class GuestLinkTest : public testing::Test {
 protected:
  void SetUp() override {
    const Result<SpawnerClient::MadeSlot> probe = spawner.makeSlot();
    if (!probe.has_value()) GTEST_SKIP() << probe.error().text();
    ASSERT_TRUE(link.open({}, "vm-1").has_value());
  }
  std::unique_ptr<pool::Awaited<pool::GuestConnection>> connecting(std::chrono::milliseconds patience) {
    return link.beginConnect(80, std::chrono::steady_clock::now() + patience).value();
  }
  static bool isReadable(const FileDescriptor& file) {
    return waitReadable(file, std::chrono::steady_clock::now() + 20ms).has_value();
  }

  SpawnerClient spawner = SpawnerClient::start(QM_SPAWNER, {.isolation = Isolation::bare}).value();
  NetworkSlots slots{spawner, 0, Log::silent()};
  EgressProxy proxy{Log::silent()};
  GuestLink link{GuestNetworks{.slots = slots, .proxy = proxy}};
};

TEST_F(GuestLinkTest, NobodyWaitsForAGuestThatIsSilentUntilTheDeadline) {
  const auto connection = connecting(1h);
  EXPECT_FALSE(connection->take().has_value());
  EXPECT_FALSE(isReadable(connection->file()));
  EXPECT_EQ(connecting(-1ms)->take().value().error().remedy(), Remedy::retry);
}

TEST_F(GuestLinkTest, TheVmsEndIsTheEndOfWhatIsBeingConnected) {
  const auto connection = connecting(1h);
  link.cut();
  EXPECT_TRUE(isReadable(connection->file()));
  const auto outcome = connection->take();
  ASSERT_TRUE(outcome.has_value());
  EXPECT_FALSE(outcome->has_value());
}

TEST_F(GuestLinkTest, WhatIsBeingConnectedCountsAmongThoseThereMayBe) {
  std::vector<std::unique_ptr<pool::Awaited<pool::GuestConnection>>> all;
  for (std::size_t i = 0; i < pool::kMostConnections; ++i) all.push_back(connecting(1h));
  EXPECT_EQ(link.beginConnect(80, std::chrono::steady_clock::now() + 1h).error().remedy(), Remedy::retry);
  all.pop_back();
  EXPECT_TRUE(link.beginConnect(80, std::chrono::steady_clock::now() + 1h).has_value());
}

}  // namespace
}  // namespace qm
