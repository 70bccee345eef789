// The APIC timers as a vCPU sees them: the hint, the deadline, a TSC that is set.
#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/chips/interrupt_fabric_test.h"

namespace qm::soft {
namespace {

using namespace fabric_test;

// --- Timers

TEST(InterruptFabric, TheHintTellsWhenTheTimerRunsOut) {
  Machine machine(1);
  machine.fabric.writeLocal(0, kDivide, 0xb, 0);
  machine.fabric.writeLocal(0, kLvtTimer, kVector, 0);
  machine.fabric.writeLocal(0, kInitial, 100, 1000);
  EXPECT_EQ(machine.fabric.nextDeadline(0), 1100U);
  EXPECT_FALSE(machine.fabric.mayHaveWork(0, 1099));
  EXPECT_TRUE(machine.fabric.mayHaveWork(0, 1100));
  EXPECT_FALSE(machine.fabric.hint(0).mayHaveUnmaskableWork());
  EXPECT_EQ(machine.vector(0, 1100), kVector);
  EXPECT_EQ(machine.calls[0], 0);  // it asked by itself
  EXPECT_EQ(machine.fabric.nextDeadline(0), std::nullopt);
}

TEST(InterruptFabric, ATimerBelowThePriorityIsNoWorkOnceItWasLookedAt) {
  Machine machine(1);
  machine.fabric.setCr8(0, 5);
  machine.fabric.writeLocal(0, kDivide, 0xb, 0);
  machine.fabric.writeLocal(0, kLvtTimer, kVector, 0);
  machine.fabric.writeLocal(0, kInitial, 100, 0);
  EXPECT_EQ(machine.vector(0, 100), std::nullopt);
  EXPECT_FALSE(machine.fabric.mayHaveWork(0, kForever));
  machine.fabric.setCr8(0, 0);
  EXPECT_EQ(machine.vector(0, 100), kVector);
}

TEST(InterruptFabric, AMaskedTimerWakesNobody) {
  Machine machine(1);
  machine.fabric.writeLocal(0, kLvtTimer, kMasked | kPeriodic | kVector, 0);
  machine.fabric.writeLocal(0, kInitial, 100, 0);
  EXPECT_EQ(machine.fabric.nextDeadline(0), std::nullopt);
  EXPECT_FALSE(machine.fabric.mayHaveWork(0, kForever));
}

TEST(InterruptFabric, ADeadlineFiresAndReadsZeroFromThen) {
  Machine machine(1);
  machine.fabric.writeLocal(0, kLvtTimer, kDeadlineMode | kVector, 0);
  machine.fabric.setTscDeadline(0, 5000, 1000);
  EXPECT_EQ(machine.fabric.tscDeadline(0, 4999), 5000U);
  EXPECT_EQ(machine.fabric.nextDeadline(0), 5000U);
  EXPECT_EQ(machine.fabric.tscDeadline(0, 5000), 0U);
  EXPECT_EQ(machine.vector(0, 5000), kVector);
}

TEST(InterruptFabric, ADeadlineInThePastFiresAtOnce) {
  Machine machine(1);
  machine.fabric.writeLocal(0, kLvtTimer, kDeadlineMode | kVector, 0);
  machine.fabric.setTscDeadline(0, 1, 1000);
  EXPECT_EQ(machine.calls[0], 1);
  EXPECT_EQ(machine.vector(0, 1000), kVector);
}

TEST(InterruptFabric, ADeadlineThatPassedFiresThoughItIsOverwritten) {
  Machine machine(1);
  machine.fabric.writeLocal(0, kLvtTimer, kDeadlineMode | kVector, 0);
  machine.fabric.setTscDeadline(0, 2000, 1000);
  machine.fabric.setTscDeadline(0, 9000, 3000);
  EXPECT_EQ(machine.vector(0, 3000), kVector);
  EXPECT_EQ(machine.fabric.tscDeadline(0, 3000), 9000U);
}

TEST(InterruptFabric, ATscThatIsSetBackMovesTheCountButNotTheDeadline) {
  Machine machine(2);
  machine.fabric.writeLocal(0, kLvtTimer, kVector, 0);
  machine.fabric.writeLocal(0, kDivide, 0xb, 0);
  machine.fabric.writeLocal(0, kInitial, 100, 10'000);
  machine.fabric.adjustTsc(0, 10'050, 0);
  EXPECT_EQ(machine.fabric.nextDeadline(0), 50U);
  EXPECT_FALSE(machine.fabric.mayHaveWork(0, 49));
  machine.fabric.writeLocal(1, kLvtTimer, kDeadlineMode | kVector, 0);
  machine.fabric.setTscDeadline(1, 20'000, 10'000);
  machine.fabric.adjustTsc(1, 10'000, 20'000);
  EXPECT_EQ(machine.calls[1], 1);
  EXPECT_EQ(machine.vector(1, 20'000), kVector);
}

TEST(InterruptFabric, APeriodicTimerRunsAtTheFrequencyThatWasSet) {
  Machine machine(1);
  machine.fabric.setTscKhz(2 * kGhz);
  machine.fabric.writeLocal(0, kDivide, 0xb, 0);
  machine.fabric.writeLocal(0, kLvtTimer, kPeriodic | kVector, 0);
  machine.fabric.writeLocal(0, kInitial, 100, 0);
  for (std::uint64_t tsc = 200; tsc <= 1000; tsc += 200) {
    EXPECT_EQ(machine.fabric.nextDeadline(0), tsc);
    EXPECT_EQ(machine.vector(0, tsc), kVector);
    machine.fabric.acknowledge(0);
    machine.endInterrupt(0);
  }
}

}  // namespace
}  // namespace qm::soft
