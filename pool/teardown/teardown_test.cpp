#include "pool/teardown/teardown.h"

#include <atomic>
#include <future>

#include <gtest/gtest.h>

#include "pool/clock/fake_clock.h"
#include "pool/vm/fake_vm.h"

namespace qm::pool {
namespace {

class TeardownTest : public testing::Test {
 protected:
  Vm spawn(std::string_view id) { return vms.spawn(id, VmPurpose::tenants).value(); }

  FakeClock clock;
  FakeVms vms;
  std::atomic<int> told = 0;
  Teardown teardown{clock, 4, [this](std::chrono::microseconds) { ++told; }};
};

TEST_F(TeardownTest, AVmIsDeadWhenItWasHandedInAndGoneWhenItWasClearedAway) {
  vms.holdEnds();
  const Vm vm = spawn("vm-a");
  teardown.end(vm);
  EXPECT_FALSE(vm->isAlive());
  EXPECT_EQ(teardown.waiting(), 1U);
  EXPECT_EQ(vms.count("end"), 0U);
  vms.letEndsFlow();
  teardown.close();
  EXPECT_EQ(vms.count("end"), 1U);
  EXPECT_EQ(teardown.waiting(), 0U);
  EXPECT_EQ(told, 1);
}

TEST_F(TeardownTest, HalfOfWhatMayWaitIsALag) {
  vms.holdEnds();
  teardown.end(spawn("vm-a"));
  EXPECT_FALSE(teardown.isLagging());
  teardown.end(spawn("vm-b"));
  EXPECT_TRUE(teardown.isLagging());
  vms.letEndsFlow();
}

TEST_F(TeardownTest, BeyondWhatMayWaitTheCallerDoesTheWork) {
  vms.holdEnds();
  for (const char* id : {"vm-a", "vm-b", "vm-c", "vm-d"}) teardown.end(spawn(id));
  const Vm fifth = spawn("vm-e");
  auto ended = std::async(std::launch::async, [&] { teardown.end(fifth); });
  while (fifth->isAlive()) std::this_thread::yield();
  EXPECT_EQ(teardown.waiting(), 4U);
  vms.letEndsFlow();
  ended.get();
  EXPECT_EQ(vms.historyOf("vm-e").back(), "end");
}

TEST_F(TeardownTest, AfterItIsClosedAVmIsGoneAtOnce) {
  teardown.close();
  teardown.end(spawn("vm-a"));
  EXPECT_EQ(vms.count("end"), 1U);
  EXPECT_EQ(told, 1);
}

}  // namespace
}  // namespace qm::pool
