// A guest without an operating system that does one hostile thing by ports, which Linux gives no program.
#include <gtest/gtest.h>

#include "tests/attack/deed_name.h"
#include "tests/attack/hostile_guest.h"

namespace qm::test {
namespace {

HostilePlan bareGuest(const std::string& deed) {
  return {.deed = deed, .kernel = QM_HOSTILE_PORTS, .init = {}};
}

class HostilePortDeed : public HostileBesideNeighbour {};

TEST_P(HostilePortDeed, LeavesItsVmmAliveOrEndedWithAReason) {
  HostileGuest guest(bareGuest(GetParam()));
  expectLeavesItsVmmAliveOrEndedWithAReason(guest);
  neighbour().expectTheSameAnswer();
}

INSTANTIATE_TEST_SUITE_P(Deeds, HostilePortDeed,
                         testing::Values("ports-every", "ports-straddled", "ports-serial", "ports-keyboard",
                                         "ports-clock", "ports-chips", "ports-strings", "ports-flood",
                                         "ports-by-chance", "ports-resets"),
                         &deedName);

// The instruction is amid its elements whenever the VMM wants something of its vCPU.
TEST(HostileString, IsPausedResumedAndPausedAgainAmidItsElements) {
  HostileGuest guest(bareGuest("ports-string-without-end"));
  ASSERT_TRUE(eventually([&] { return guest.hasSaid("begins"); }));
  for (int round = 0; round < 5; ++round) {
    guest.vmm.patch("/vm", R"({"state":"Paused"})");
    EXPECT_EQ(guest.vmm.get("/").at("state"), "Paused");
    guest.vmm.patch("/vm", R"({"state":"Resumed"})");
    EXPECT_EQ(guest.vmm.get("/").at("state"), "Running");
  }
  EXPECT_FALSE(guest.hasEnded());
}

}  // namespace
}  // namespace qm::test
