// A machine's interrupt controllers saved and loaded into another: nothing is lost and nothing comes twice.
#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/chips/interrupt_fabric_test.h"

namespace qm::soft {
namespace {

using namespace fabric_test;

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

}  // namespace
}  // namespace qm::soft
