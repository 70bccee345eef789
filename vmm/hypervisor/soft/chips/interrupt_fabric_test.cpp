// The interrupt controllers of a machine together: who is told of what, and when.
#include "vmm/hypervisor/soft/chips/interrupt_fabric_test.h"

#include <array>
#include <atomic>
#include <thread>

#include <gtest/gtest.h>

namespace qm::soft {
namespace {

using namespace fabric_test;

// --- Lines

TEST(InterruptFabric, AnEdgeArrivesAndTheVcpuIsCalledOnce) {
  Machine machine(2);
  machine.route(20, kVector, 1);
  machine.pulse(20);
  EXPECT_EQ(machine.calls, (std::vector{0, 1}));
  EXPECT_TRUE(machine.fabric.mayHaveWork(1, 0));
  EXPECT_EQ(machine.vectors(), (Vectors{std::nullopt, kVector}));
  EXPECT_EQ(machine.fabric.acknowledge(1), kVector);
  EXPECT_FALSE(machine.fabric.mayHaveWork(1, kForever));
  EXPECT_EQ(machine.fabric.acknowledge(1), std::nullopt);
}

TEST(InterruptFabric, NobodyIsCalledForWhatIsMaskedOrPendingAlready) {
  Machine machine(1);
  machine.pulse(20);
  EXPECT_EQ(machine.calls[0], 0);
  machine.route(20, kVector);
  machine.pulse(20);
  machine.pulse(20);
  EXPECT_EQ(machine.calls[0], 1);
}

TEST(InterruptFabric, NobodyIsCalledForWhatIsBelowThePriorityUntilItFalls) {
  Machine machine(1);
  machine.route(20, kVector);
  machine.fabric.setCr8(0, 5);
  machine.pulse(20);
  EXPECT_EQ(machine.calls[0], 0);
  EXPECT_FALSE(machine.fabric.mayHaveWork(0, kForever));
  machine.fabric.setCr8(0, 4);
  EXPECT_EQ(machine.calls[0], 1);
  EXPECT_EQ(machine.vector(0), kVector);
}

TEST(InterruptFabric, AHigherVectorIsNewsALowerOneIsNot) {
  Machine machine(1);
  machine.send(0, kSelf | 0x61);
  machine.send(0, kSelf | 0x51);
  EXPECT_EQ(machine.calls[0], 1);
  machine.send(0, kSelf | 0x71);
  EXPECT_EQ(machine.calls[0], 2);
}

TEST(InterruptFabric, WhatWaitedForAnEndOfInterruptIsToldThen) {
  Machine machine(1);
  machine.send(0, kSelf | 0x61);
  machine.fabric.acknowledge(0);
  machine.send(0, kSelf | 0x62);
  EXPECT_EQ(machine.calls[0], 1);
  machine.endInterrupt(0);
  EXPECT_EQ(machine.calls[0], 2);
  EXPECT_EQ(machine.fabric.acknowledge(0), 0x62);
}

TEST(InterruptFabric, AHighLevelComesAgainAfterTheEndOfInterrupt) {
  Machine machine(1);
  machine.route(20, kLevel | kVector);
  machine.fabric.setLine(20, true);
  EXPECT_EQ(machine.fabric.acknowledge(0), kVector);
  EXPECT_EQ(machine.vector(0), std::nullopt);
  machine.endInterrupt(0);
  EXPECT_EQ(machine.calls[0], 2);
  EXPECT_EQ(machine.fabric.acknowledge(0), kVector);
  machine.fabric.setLine(20, false);
  machine.endInterrupt(0);
  EXPECT_EQ(machine.vector(0), std::nullopt);
}

TEST(InterruptFabric, AMaskedLevelIsSentWhenUnmasked) {
  Machine machine(1);
  machine.route(20, kLevel | kVector | kMasked);
  machine.fabric.setLine(20, true);
  machine.route(20, kLevel | kVector);
  EXPECT_EQ(machine.vector(0), kVector);
}

TEST(InterruptFabric, TwoLevelsOfOneVectorBothComeAgain) {
  Machine machine(2);
  machine.route(20, kLevel | kVector, 0);
  machine.route(21, kLevel | kVector, 1);
  machine.fabric.setLine(20, true);
  machine.fabric.setLine(21, true);
  machine.fabric.acknowledge(0);
  machine.fabric.acknowledge(1);
  machine.endInterrupt(0);  // an end of interrupt is by vector: it ends both
  EXPECT_EQ(machine.vectors(), (Vectors{kVector, std::nullopt}));
  machine.endInterrupt(1);
  EXPECT_EQ(machine.vectors(), (Vectors{kVector, kVector}));
}

TEST(InterruptFabric, PinsAreNumberedAsGsisFromZeroOn) {
  for (const std::uint32_t gsi : {0U, 2U, 23U}) {
    Machine machine(1);
    machine.route(gsi, kVector);
    machine.pulse(gsi);
    EXPECT_EQ(machine.vector(0), kVector) << gsi;
  }
}

TEST(InterruptFabric, ADeviceCanSendANmiAndAnInit) {
  Machine machine(1);
  machine.route(20, 4U << 8U);
  machine.route(21, 5U << 8U);
  machine.pulse(20);
  EXPECT_EQ(machine.fabric.work(0, 0), (CpuWork{.nmi = true}));
  machine.pulse(21);
  EXPECT_EQ(machine.fabric.work(0, 0), (CpuWork{.nmi = true, .init = true}));
}

// --- Interrupts between processors

TEST(InterruptFabric, ShorthandsReachWhomTheyName) {
  struct Row {
    std::uint32_t shorthand;
    Vectors expected;
  };
  const std::optional<std::uint8_t> none;
  for (const Row& row : {Row{0, {none, none, kVector}}, Row{kSelf, {none, kVector, none}},
                         Row{kAll, {kVector, kVector, kVector}}, Row{kOthers, {kVector, none, kVector}}}) {
    Machine machine(3);
    machine.send(1, row.shorthand | kVector, 2);
    EXPECT_EQ(machine.vectors(), row.expected) << std::hex << row.shorthand;
  }
}

TEST(InterruptFabric, AnX2ApicsBroadcastReachesAll) {
  Machine machine(2);
  machine.fabric.setApicBase(0, 0xfee0'0000 | 0xd00);
  EXPECT_TRUE(machine.fabric.writeX2(0, 0x830, 0xffff'ffff'0000'0000 | kVector, 0));
  EXPECT_EQ(machine.vectors(), (Vectors{kVector, kVector}));
}

TEST(InterruptFabric, ALowestPriorityInterruptGoesToTheLeastBusyOfThoseItNames) {
  Machine machine(3);
  machine.fabric.setCr8(0, 3);
  machine.fabric.setCr8(2, 2);
  machine.send(0, 1U << 8U | kVector, 0xff);
  machine.send(0, 1U << 8U | (kVector - 1U), 0xff);
  EXPECT_EQ(machine.vectors(), (Vectors{std::nullopt, kVector, std::nullopt}));
}

TEST(InterruptFabric, ALowestPriorityInterruptGoesToNobodyWhoseApicIsDisabled) {
  Machine machine(2);
  machine.fabric.writeLocal(1, kSvr, 0xff, 0);
  machine.fabric.setCr8(0, 3);
  machine.send(0, 1U << 8U | kVector, 0xff);
  EXPECT_EQ(machine.vectors(), (Vectors{kVector, std::nullopt}));
}

TEST(InterruptFabric, AmongEqualsTheVectorDecides) {
  Machine machine(2);
  machine.send(0, 1U << 8U | 0x50, 0xff);
  machine.send(0, 1U << 8U | 0x51, 0xff);
  EXPECT_EQ(machine.vectors(), (Vectors{0x50, 0x51}));
}

TEST(InterruptFabric, ProcessorsAreStartedByInitAndSipi) {
  Machine machine(2);
  machine.send(0, kOthers | 0x4500);
  EXPECT_EQ(machine.calls, (std::vector{0, 1}));
  EXPECT_TRUE(machine.fabric.hint(1).mayHaveUnmaskableWork());
  EXPECT_EQ(machine.fabric.work(1, 0), (CpuWork{.init = true}));
  machine.send(0, kOthers | 0x4609);
  EXPECT_EQ(machine.calls, (std::vector{0, 2}));
  EXPECT_EQ(machine.fabric.work(1, 0), (CpuWork{.init = true, .sipi = 9}));
  machine.fabric.takeInit(1);
  machine.fabric.takeSipi(1);
  EXPECT_EQ(machine.fabric.work(1, 0), CpuWork{});
  EXPECT_FALSE(machine.fabric.mayHaveWork(1, kForever));
}

TEST(InterruptFabric, WhatIsLeftAfterATakeIsToldAgain) {
  Machine machine(2);
  machine.send(0, kOthers | 0x4500);
  machine.send(0, kOthers | 0x4609);
  machine.fabric.raiseNmi(1);
  EXPECT_EQ(machine.calls[1], 3);
  machine.fabric.work(1, 0);
  machine.fabric.takeNmi(1);
  EXPECT_EQ(machine.calls[1], 4);
  machine.fabric.takeInit(1);
  EXPECT_EQ(machine.calls[1], 5);
  machine.fabric.takeSipi(1);
  EXPECT_EQ(machine.calls[1], 5);
}

TEST(InterruptFabric, ANmiIsTakenOnce) {
  Machine machine(1);
  machine.fabric.raiseNmi(0);
  machine.fabric.raiseNmi(0);
  EXPECT_EQ(machine.calls[0], 1);
  EXPECT_TRUE(machine.fabric.hint(0).mayHaveUnmaskableWork());
  EXPECT_TRUE(machine.fabric.work(0, 0).nmi);
  machine.fabric.takeNmi(0);
  EXPECT_EQ(machine.fabric.work(0, 0), CpuWork{});
}

TEST(InterruptFabric, AMessageWithAnIllegalVectorIsAnErrorOfTheReceiver) {
  Machine machine(1);
  machine.route(20, 0x0f);
  machine.pulse(20);
  EXPECT_EQ(machine.vector(0), std::nullopt);
  machine.fabric.writeLocal(0, kEsr, 0, 0);
  EXPECT_EQ(machine.fabric.readLocal(0, kEsr, 0), 1U << 6U);
}

// --- The PIC

TEST(InterruptFabric, ALineOfThePicArrivesThroughLint0) {
  Machine machine(1);
  machine.setUpPic(0xdf);
  machine.pulse(5);
  EXPECT_EQ(machine.calls[0], 0);  // LINT0 is masked
  machine.fabric.writeLocal(0, kLint0, 0x700, 0);
  EXPECT_EQ(machine.calls[0], 1);
  EXPECT_EQ(machine.vector(0), 0x35);
  EXPECT_TRUE(machine.fabric.mayHaveWork(0, 0));
  EXPECT_EQ(machine.fabric.acknowledge(0), 0x35);
  EXPECT_EQ(machine.fabric.work(0, 0), CpuWork{});
  EXPECT_FALSE(machine.fabric.mayHaveWork(0, kForever));
}

TEST(InterruptFabric, ThePicsLineCallsWhoAdmitsIt) {
  Machine machine(2);
  machine.fabric.writeLocal(1, kLint0, 0x700, 0);
  machine.setUpPic(0x00);
  machine.fabric.setLine(5, true);
  EXPECT_EQ(machine.calls, (std::vector{0, 1}));
  machine.fabric.writePort(0x21, 0xff, 0);
  EXPECT_EQ(machine.vector(1), std::nullopt);
  machine.fabric.writePort(0x21, 0x00, 0);
  EXPECT_EQ(machine.calls, (std::vector{0, 2}));
}

TEST(InterruptFabric, ThePicGoesBeforeTheLocalApicsVectors) {
  Machine machine(1);
  machine.fabric.writeLocal(0, kLint0, 0x700, 0);
  machine.setUpPic(0x00);
  machine.send(0, kSelf | kVector);
  machine.fabric.setLine(5, true);
  EXPECT_EQ(machine.fabric.acknowledge(0), 0x35);
  EXPECT_TRUE(machine.fabric.mayHaveWork(0, 0));
  EXPECT_EQ(machine.fabric.acknowledge(0), kVector);
}

TEST(InterruptFabric, ThePitsPortsAreThereWithThePit) {
  const Machine without(1);
  EXPECT_FALSE(without.fabric.ownsPort(0x40));
  EXPECT_FALSE(without.fabric.ownsPort(0x61));
  EXPECT_TRUE(without.fabric.ownsPort(0x20));
  Machine with(1, PitModel::present);
  EXPECT_TRUE(with.fabric.ownsPort(0x40));
  with.fabric.writePort(0x61, 0x01, 0);
  with.fabric.writePort(0x43, 0xb0, 0);
  with.fabric.writePort(0x42, 0x01, 0);
  with.fabric.writePort(0x42, 0x00, 0);
  EXPECT_EQ(with.fabric.readPort(0x61, 0) & 0x20U, 0U);
  EXPECT_EQ(with.fabric.readPort(0x61, 1000) & 0x20U, 0x20U);
  EXPECT_EQ(with.fabric.readPort(0x43, 0), 0xffU);
}

// --- Threads

// Each of two vCPUs answers every interrupt of the other with one; a device pulses its line; nobody may be left with an
// interrupt that it was not told of.
TEST(InterruptFabric, NothingIsLostBetweenThreads) {
  constexpr int kRounds = 2000;
  InterruptFabric fabric(PitModel::absent, kGhz);
  std::array<std::atomic<std::uint32_t>, 2> bell{};
  for (std::uint32_t i = 0; i < 2; ++i) {
    fabric.addCpu(i, {[&bell, i] {
                    bell[i].fetch_add(1);
                    bell[i].notify_one();
                  }});
    fabric.writeLocal(i, kSvr, 0x1ff, 0);
    fabric.writeLocal(i, kLint0, kMasked, 0);
    fabric.writeLocal(i, kIcrHigh, (1 - i) << 24U, 0);
  }
  fabric.writeIo(0x00, 0x10 + 2 * 20);
  fabric.writeIo(0x10, 0x61);
  const auto take = [&](std::uint32_t index) {
    for (;;) {
      const std::uint32_t heard = bell[index].load();
      if (fabric.mayHaveWork(index, 0)) {
        if (const auto vector = fabric.acknowledge(index)) return *vector;
      }
      bell[index].wait(heard);
    }
  };
  std::array<int, 2> turns{};
  const auto play = [&](std::uint32_t index) {
    while (turns[index] < kRounds) {
      const std::uint8_t vector = take(index);
      fabric.writeLocal(index, kEoi, 0, 0);
      if (vector != kVector) continue;  // the device's
      ++turns[index];
      fabric.writeLocal(index, kIcr, kVector, 0);
    }
  };
  {
    std::jthread first(play, 0U);
    const std::jthread second(play, 1U);
    const std::jthread device([&] {
      for (int i = 0; i < kRounds; ++i) {
        fabric.setLine(20, true);
        fabric.setLine(20, false);
      }
    });
    fabric.writeLocal(1, kIcr, kVector, 0);
  }
  EXPECT_EQ(turns, (std::array{kRounds, kRounds}));
}

}  // namespace
}  // namespace qm::soft
