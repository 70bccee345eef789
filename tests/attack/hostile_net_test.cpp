// A guest that does one hostile thing to its network device, on whose wire frames arrive without pause.
#include <memory>

#include <gtest/gtest.h>

#include "tests/attack/deed_name.h"
#include "tests/attack/hostile_guest.h"
#include "tests/attack/tap_wire.h"

namespace qm::test {
namespace {

class HostileNetDeed : public HostileBesideNeighbour {
 protected:
  static void SetUpTestSuite() {
    HostileBesideNeighbour::SetUpTestSuite();
    wire_ = TapWire::lay();
  }
  static void TearDownTestSuite() {
    wire_.reset();
    HostileBesideNeighbour::TearDownTestSuite();
  }
  void SetUp() override {
    if (wire_ == nullptr) GTEST_SKIP() << "this host allows no network namespace with a tap";
  }

 private:
  static inline std::unique_ptr<TapWire> wire_;
};

TEST_P(HostileNetDeed, LeavesItsVmmAliveOrEndedWithAReason) {
  HostilePlan plan = linuxGuest(GetParam());
  plan.tap = TapWire::name();
  HostileGuest guest(plan);
  expectLeavesItsVmmAliveOrEndedWithAReason(guest);
  neighbour().expectTheSameAnswer();
}

class HostileNetSaved : public HostileNetDeed {};

TEST_P(HostileNetSaved, AmidItsDeedGoesOnInAnotherVmm) {
  HostilePlan plan = linuxGuest(GetParam());
  plan.tap = TapWire::name();
  expectGoesOnInAnotherVmm(plan);
}

INSTANTIATE_TEST_SUITE_P(Deeds, HostileNetSaved,
                         testing::Values("net-reset-in-flight", "net-rings-in-motion", "net-indices-jump"), &deedName);
INSTANTIATE_TEST_SUITE_P(Deeds, HostileNetDeed,
                         testing::Values("net-shapes", "net-loops", "net-offloads", "net-lengths",
                                         "net-buffers-nowhere", "net-overlaps", "net-indices-jump",
                                         "net-reset-in-flight", "net-rings-in-motion", "net-queues-left-out",
                                         "net-sends-without-pause", "net-fails-without-pause"),
                         &deedName);

}  // namespace
}  // namespace qm::test
