// The interrupt controllers of a machine together: who is told of what, and when.
#include "vmm/hypervisor/soft/chips/interrupt_fabric.h"

#include <array>
#include <atomic>
#include <limits>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace qm::soft {
namespace {

constexpr std::uint32_t kGhz = 1'000'000;  // a TSC tick is a nanosecond
constexpr std::uint8_t kVector = 0x51;
constexpr std::uint32_t kEoi = 0xb0, kSvr = 0xf0, kEsr = 0x280, kIcr = 0x300, kIcrHigh = 0x310, kLvtTimer = 0x320,
                        kLint0 = 0x350, kInitial = 0x380, kDivide = 0x3e0;
constexpr std::uint32_t kMasked = 1U << 16U, kLevel = 1U << 15U, kDeadlineMode = 2U << 17U, kPeriodic = 1U << 17U;
constexpr std::uint32_t kSelf = 1U << 18U, kAll = 2U << 18U, kOthers = 3U << 18U;
constexpr std::uint64_t kForever = std::numeric_limits<std::uint64_t>::max() - 1;

// A machine whose APICs are enabled, that counts how often each vCPU was called.
class Machine {
 public:
  explicit Machine(std::uint32_t cpus, PitModel pit = PitModel::absent) : fabric(pit, kGhz), calls(cpus) {
    for (std::uint32_t i = 0; i < cpus; ++i) {
      fabric.addCpu(i, {[this, i] { ++calls[i]; }});
      fabric.writeLocal(i, kSvr, 0x1ff, 0);
      fabric.writeLocal(i, kLint0, kMasked, 0);
    }
  }

  void route(std::uint32_t pin, std::uint32_t low, std::uint32_t destination = 0) {
    writeIo(0x10 + 2 * pin + 1, destination << 24U);
    writeIo(0x10 + 2 * pin, low);
  }
  void writeIo(std::uint32_t which, std::uint32_t value) {
    fabric.writeIo(0x00, which);
    fabric.writeIo(0x10, value);
  }
  void pulse(std::uint32_t gsi) {
    fabric.setLine(gsi, true);
    fabric.setLine(gsi, false);
  }
  void send(std::uint32_t from, std::uint32_t command, std::uint32_t destination = 0) {
    fabric.writeLocal(from, kIcrHigh, destination << 24U, 0);
    fabric.writeLocal(from, kIcr, command, 0);
  }
  void endInterrupt(std::uint32_t index) { fabric.writeLocal(index, kEoi, 0, 0); }
  std::optional<std::uint8_t> vector(std::uint32_t index, std::uint64_t tsc = 0) {
    return fabric.work(index, tsc).vector;
  }
  std::vector<std::optional<std::uint8_t>> vectors() {
    std::vector<std::optional<std::uint8_t>> all;
    for (std::uint32_t i = 0; i < calls.size(); ++i) all.push_back(vector(i));
    return all;
  }
  void setUpPic(std::uint8_t mask) {
    fabric.writePort(0x20, 0x11, 0);
    for (const unsigned value : {0x30U, 0x04U, 0x01U}) fabric.writePort(0x21, static_cast<std::uint8_t>(value), 0);
    fabric.writePort(0x21, mask, 0);
  }

  InterruptFabric fabric;
  std::vector<int> calls;
};

using Vectors = std::vector<std::optional<std::uint8_t>>;

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

// --- Snapshots

// Into a machine of the same size, in the order of state.h; the TSC goes on at `tsc`.
void copyInto(Machine& to, Machine& from, std::uint64_t savedAt, std::uint64_t tsc) {
  VmState chips;
  for (std::uint32_t i = 0; i < from.calls.size(); ++i) {
    const LocalApic page = from.fabric.saveLocal(i, savedAt);
    const std::uint64_t deadline = from.fabric.tscDeadline(i, savedAt);
    EXPECT_TRUE(to.fabric.loadApicBase(i, from.fabric.apicBase(i)));
    to.fabric.loadLocal(i, page, tsc);
    to.fabric.setTscDeadline(i, deadline, tsc);
  }
  from.fabric.saveChips(chips);
  to.fabric.loadChips(chips, tsc);
}

TEST(InterruptFabric, AHighLevelArrivesInTheCopy) {
  Machine machine(1);
  machine.route(20, kLevel | kVector | kMasked);
  machine.fabric.setLine(20, true);
  Machine copy(1);
  copyInto(copy, machine, 0, 0);
  EXPECT_EQ(copy.calls[0], 0);
  copy.route(20, kLevel | kVector);
  EXPECT_EQ(copy.calls[0], 1);
  EXPECT_EQ(copy.fabric.acknowledge(0), kVector);
}

TEST(InterruptFabric, ARequestOfTheLocalApicAndOneOfThePicArriveInTheCopy) {
  Machine machine(2);
  machine.fabric.writeLocal(0, kLint0, 0x700, 0);
  machine.setUpPic(0x00);
  machine.pulse(5);
  machine.send(0, kVector, 1);
  Machine copy(2);
  copyInto(copy, machine, 0, 0);
  EXPECT_EQ(copy.calls, (std::vector{1, 1}));
  EXPECT_EQ(copy.vectors(), (Vectors{0x35, kVector}));
}

TEST(InterruptFabric, ADeadlineFiresOnceInTheCopyWhereverItWasSaved) {
  for (const std::uint64_t savedAt : {3000U, 6000U}) {  // before it passes, and after, unseen by the vCPU
    Machine machine(1);
    machine.fabric.writeLocal(0, kLvtTimer, kDeadlineMode | kVector, 0);
    machine.fabric.setTscDeadline(0, 5000, 1000);
    Machine copy(1);
    copyInto(copy, machine, savedAt, savedAt);
    EXPECT_EQ(copy.vector(0, 7000), kVector);
    copy.fabric.acknowledge(0);
    copy.endInterrupt(0);
    EXPECT_EQ(copy.vector(0, 9000), std::nullopt);
    Machine second(1);
    copyInto(second, copy, 9000, 9000);
    EXPECT_EQ(second.vector(0, 19'000), std::nullopt);
  }
}

TEST(InterruptFabric, AOneShotThatRanOutUnseenFiresOnceInTheCopy) {
  Machine machine(1);
  machine.fabric.writeLocal(0, kLvtTimer, kVector, 0);
  machine.fabric.writeLocal(0, kInitial, 100, 0);
  Machine copy(1);
  copyInto(copy, machine, 5000, 77);
  EXPECT_EQ(copy.fabric.acknowledge(0), kVector);
  copy.endInterrupt(0);
  EXPECT_EQ(copy.vector(0, 1'000'000), std::nullopt);
}

TEST(InterruptFabric, AProcessorInX2ApicModeIsLoadedIntoAFreshOne) {
  Machine machine(2);
  ASSERT_TRUE(machine.fabric.setApicBase(1, 0xfee0'0000 | 0xc00));
  Machine copy(2);
  copyInto(copy, machine, 0, 0);
  EXPECT_EQ(copy.fabric.apicBase(1), 0xfee0'0c00U);
  EXPECT_EQ(copy.fabric.readX2(1, 0x802, 0), 1U);
}

TEST(InterruptFabric, SaveLoadSaveGivesTheSame) {
  Machine machine(2, PitModel::present);
  machine.route(20, kLevel | kVector, 1);
  machine.fabric.setLine(20, true);
  machine.setUpPic(0x0f);
  machine.fabric.setLine(5, true);
  Machine copy(2, PitModel::present);
  copyInto(copy, machine, 0, 0);
  VmState first, second;
  machine.fabric.saveChips(first);
  copy.fabric.saveChips(second);
  EXPECT_EQ(first, second);
  EXPECT_TRUE(second.hasPit);
  for (std::uint32_t i = 0; i < 2; ++i) EXPECT_EQ(machine.fabric.saveLocal(i, 0), copy.fabric.saveLocal(i, 0));
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
