// A guest that does one hostile thing to its machine: the VMM lives on, or ends with a reason, and never by accident.
#include "tests/attack/hostile_guest.h"

#include <chrono>

#include <gtest/gtest.h>

#include "tests/attack/deed_name.h"

namespace qm::test {
namespace {

class HostileDeed : public testing::TestWithParam<const char*> {};

TEST_P(HostileDeed, LeavesItsVmmAliveOrEndedWithAReason) {
  HostilePlan plan = linuxGuest(GetParam());
  plan.hasDisk = true;
  HostileGuest guest(plan);
  expectLeavesItsVmmAliveOrEndedWithAReason(guest);
}

INSTANTIATE_TEST_SUITE_P(Deeds, HostileDeed,
                         testing::Values("every-register", "every-chip", "status-by-chance", "console-flood",
                                         "queues-nowhere", "buffers-nowhere", "chain-in-a-circle", "indirect-nested",
                                         "lengths-huge", "ring-runs-ahead", "sizes-odd", "reset-in-flight",
                                         "requests-by-chance"),
                         &deedName);

class HostileAgent : public testing::TestWithParam<const char*> {};

TEST_P(HostileAgent, GetsTheHostAnErrorAndNothingElse) {
  const HostileGuest guest(linuxGuest(GetParam()));
  ASSERT_TRUE(eventually([&] { return guest.hasEnded() || guest.hasSaid("listening"); })) << guest.console();
  for (int attempt = 0; attempt < 3; ++attempt) {
    agent::AgentClient agent = guest.vmm.agent("vsock.sock");
    const auto pong = agent.ping(7, std::chrono::steady_clock::now() + kPatience);
    ASSERT_FALSE(pong.has_value());
    EXPECT_FALSE(pong.error().text().empty());
    EXPECT_NE(pong.error().remedy(), Remedy::retry) << pong.error().text();
  }
  EXPECT_FALSE(guest.hasEnded());
}

INSTANTIATE_TEST_SUITE_P(Deeds, HostileAgent,
                         testing::Values("agent-garbage", "agent-endless", "agent-long-frame", "agent-cut-frame"),
                         &deedName);

}  // namespace
}  // namespace qm::test
