#include "vmm/hypervisor/soft/system/kvm_clock.h"

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/system/msrs.h"
#include "vmm/hypervisor/soft/system/test_machine.h"

namespace qm::soft {
namespace {

constexpr std::uint32_t kWallClock = 0x4b56'4d00, kSystemTime = 0x4b56'4d01, kTsc = 0x10;
constexpr std::uint64_t kPage = 0x1'2340, kFlags = 29;
constexpr std::uint8_t kStable = 1, kStopped = 2;

// As a guest reads it (Linux, arch/x86/include/asm/pvclock.h).
std::uint64_t guestReads(const TestMachine& machine, std::uint64_t page, std::uint64_t tsc) {
  const auto shift = machine.readRam<std::int8_t>(page + 28);
  const std::uint64_t delta = tsc - machine.readRam<std::uint64_t>(page + 8);
  return machine.readRam<std::uint64_t>(page + 16) +
         nanosecondsOf(delta, {.multiplier = machine.readRam<std::uint32_t>(page + 24), .shift = shift});
}

TEST(KvmClock, AGuestReadsItsTimeFromThePage) {
  TestMachine machine;
  machine.clock.setTscKhz(2'099'998);
  machine.clock.load({.guestNs = 5'000'000'000});
  machine.execute(1'000'000);
  ASSERT_TRUE(writeMsr(machine.cpu(), kSystemTime, kPage | 1U));
  machine.execute(700'000'000);
  const std::uint64_t tsc = readTsc(machine.cpu());
  EXPECT_EQ(guestReads(machine, kPage, tsc), machine.clock.guestNs());
  EXPECT_NEAR(static_cast<double>(machine.clock.guestNs()), 5'701'000'000, 3);
  EXPECT_EQ(machine.readRam<std::uint8_t>(kPage + kFlags), kStable);
}

TEST(KvmClock, TheVersionIsEvenAndAnotherAfterEachWrite) {
  TestMachine machine;
  machine.writeRam<std::uint32_t>(kPage, 7);  // what lay there before
  ASSERT_TRUE(writeMsr(machine.cpu(), kSystemTime, kPage | 1U));
  const auto first = machine.readRam<std::uint32_t>(kPage);
  ASSERT_TRUE(writeMsr(machine.cpu(), kSystemTime, kPage | 1U));
  EXPECT_EQ(first % 2, 0U);
  EXPECT_EQ(machine.readRam<std::uint32_t>(kPage), first + 2);
}

TEST(KvmClock, ThePageIsDirtyWhenItWasWritten) {
  TestMachine machine;
  ASSERT_TRUE(writeMsr(machine.cpu(), kSystemTime, 0x1fff1));  // across two pages
  const auto dirty = machine.memory.slot(0)->takeDirty();
  EXPECT_EQ(dirty[0], std::uint64_t{1} << 0x1fU | std::uint64_t{1} << 0x20U);
}

TEST(KvmClock, NothingIsWrittenWhereTheGuestSwitchesItOff) {
  TestMachine machine;
  ASSERT_TRUE(writeMsr(machine.cpu(), kSystemTime, kPage));
  EXPECT_EQ(machine.readRam<std::uint64_t>(kPage + 8), 0U);
  EXPECT_EQ(machine.readRam<std::uint32_t>(kPage), 0U);
}

TEST(KvmClock, AnAddressThatIsNotAllMemoryIsWrittenByNobody) {
  TestMachine machine;
  constexpr std::uint64_t kLast = TestMachine::kBytes - 16;
  ASSERT_TRUE(writeMsr(machine.cpu(), kSystemTime, kLast | 1U));
  ASSERT_TRUE(writeMsr(machine.cpu(), kSystemTime, 0xffff'ffff'ffff'fff1));
  ASSERT_TRUE(writeMsr(machine.cpu(), kWallClock, TestMachine::kBytes - 8));
  EXPECT_EQ(machine.readRam<std::uint64_t>(kLast), 0U);
  EXPECT_EQ(machine.readRam<std::uint64_t>(kLast + 8), 0U);
}

TEST(KvmClock, TheGuestIsToldOnceThatItWasStoppedAndKeepsTheFlagUntilItClearsIt) {
  TestMachine machine(SoftClock::host);
  Cpu& cpu = machine.cpu();
  ASSERT_TRUE(writeMsr(cpu, kSystemTime, kPage | 1U));
  markClockResumed(cpu);
  EXPECT_EQ(machine.readRam<std::uint8_t>(kPage + kFlags) & kStopped, 0);  // the vCPU has not run since
  refreshKvmClock(cpu);
  EXPECT_EQ(machine.readRam<std::uint8_t>(kPage + kFlags) & kStopped, kStopped);
  invalidateKvmClock(cpu);
  refreshKvmClock(cpu);
  EXPECT_EQ(machine.readRam<std::uint8_t>(kPage + kFlags) & kStopped, kStopped);
  machine.writeRam<std::uint8_t>(kPage + kFlags, kStable);
  invalidateKvmClock(cpu);
  refreshKvmClock(cpu);
  EXPECT_EQ(machine.readRam<std::uint8_t>(kPage + kFlags) & kStopped, 0);
}

TEST(KvmClock, AGuestWithoutAClockHasNobodyToTell) {
  TestMachine machine;
  markClockResumed(machine.cpu());
  ASSERT_TRUE(writeMsr(machine.cpu(), kSystemTime, kPage | 1U));
  EXPECT_EQ(machine.readRam<std::uint8_t>(kPage + kFlags) & kStopped, 0);
}

TEST(KvmClock, ThePageIsWrittenAgainWhenTheVmsClockWasSet) {
  constexpr std::uint64_t kYearNs = 365ULL * 86'400 * 1'000'000'000;
  TestMachine machine(SoftClock::host);
  ASSERT_TRUE(writeMsr(machine.cpu(), kSystemTime, kPage | 1U));
  EXPECT_LT(guestReads(machine, kPage, readTsc(machine.cpu())), kYearNs);
  machine.clock.load({.guestNs = kYearNs});
  refreshKvmClock(machine.cpu());
  EXPECT_GE(guestReads(machine, kPage, readTsc(machine.cpu())), kYearNs);
}

TEST(KvmClock, WhereTimeStoodStillAGuestsPageStaysAsItWasSaved) {
  TestMachine saved;
  saved.execute(5'000);
  ASSERT_TRUE(writeMsr(saved.cpu(), kSystemTime, kPage | 1U));
  saved.execute(2'000);
  const std::vector<MsrValue> msrs = saveMsrs(saved.cpu());
  const std::vector<std::byte> page = saved.copyOfRam(kPage, 32);

  TestMachine restored;
  restored.placeInRam(kPage, page);
  ASSERT_TRUE(loadTsc(restored.cpu(), msrs));
  ASSERT_TRUE(loadMsrs(restored.cpu(), msrs));
  restored.cpu().system.tscOffset -= restored.clock.load(saved.clock.save());
  markClockResumed(restored.cpu());
  refreshKvmClock(restored.cpu());
  EXPECT_EQ(restored.copyOfRam(kPage, 32), page);
  EXPECT_EQ(readTsc(restored.cpu()), readTsc(saved.cpu()));
  EXPECT_EQ(restored.clock.guestNs(), 7'000U);
}

TEST(KvmClock, TimeGoesOnWhereTheGuestSetsItsTsc) {
  TestMachine machine;
  Cpu& cpu = machine.cpu();
  ASSERT_TRUE(writeMsr(cpu, kSystemTime, kPage | 1U));
  machine.execute(1'000);
  ASSERT_TRUE(writeMsr(cpu, kTsc, 7));
  EXPECT_EQ(guestReads(machine, kPage, 7), 1'000U);
  // Other processors' TSCs are not this one's any more.
  EXPECT_EQ(machine.readRam<std::uint8_t>(kPage + kFlags) & kStable, 0);
}

TEST(KvmClock, TheWallClockIsTheMomentOfTheBoot) {
  TestMachine machine;
  machine.execute(4'000'000'000);
  readTsc(machine.cpu());
  ASSERT_TRUE(writeMsr(machine.cpu(), kWallClock, kPage));
  const std::uint64_t bootNs = machine.clock.realtimeNs() - 4'000'000'000;
  EXPECT_EQ(machine.readRam<std::uint32_t>(kPage + 4), bootNs / 1'000'000'000);
  EXPECT_EQ(machine.readRam<std::uint32_t>(kPage + 8), bootNs % 1'000'000'000);
  EXPECT_EQ(machine.readRam<std::uint32_t>(kPage), 2U);
}

TEST(KvmClock, TheOldNumbersNameTheSameRegisters) {
  TestMachine machine;
  std::uint64_t value = 0;
  ASSERT_TRUE(writeMsr(machine.cpu(), 0x12, kPage | 1U));
  ASSERT_TRUE(readMsr(machine.cpu(), kSystemTime, value));
  EXPECT_EQ(value, kPage | 1U);
  ASSERT_TRUE(writeMsr(machine.cpu(), 0x11, kPage + 64));
  ASSERT_TRUE(readMsr(machine.cpu(), kWallClock, value));
  EXPECT_EQ(value, kPage + 64);
}

}  // namespace
}  // namespace qm::soft
