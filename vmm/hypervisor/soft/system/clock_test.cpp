#include <thread>

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/system/msrs.h"
#include "vmm/hypervisor/soft/system/test_machine.h"
#include "vmm/hypervisor/soft/time/guest_clock.h"

namespace qm::soft {
namespace {

using namespace std::chrono_literals;

constexpr std::uint32_t kTsc = 0x10, kTscAdjust = 0x3b;

// How far pvclock's arithmetic is from the exact one after a second's ticks.
void expectSecondIsASecond(std::uint32_t khz) {
  const std::uint64_t ns = nanosecondsOf(std::uint64_t{khz} * 1000, tickScaleOf(khz));
  EXPECT_LE(ns, 1'000'000'000U) << khz;
  EXPECT_GE(ns, 999'999'998U) << khz;
}

TEST(GuestClock, TicksBecomeNanosecondsAtEveryFrequency) {
  for (const std::uint32_t khz : {1U, 1'000U, 499'999U, 500'000U, 999'999U, 1'000'000U, 1'000'001U, 2'099'998U,
                                  4'000'000U, 4'000'001U, 6'123'456U, 0xffff'ffffU})
    expectSecondIsASecond(khz);
}

TEST(GuestClock, TheMultiplierHasItsTopBitSetSoThatNothingOfItIsWasted) {
  EXPECT_EQ(tickScaleOf(1'000'000), (TickScale{0x8000'0000, 1}));
  EXPECT_EQ(tickScaleOf(2'000'000), (TickScale{0x8000'0000, 0}));
  EXPECT_EQ(tickScaleOf(3'000'000), (TickScale{0xaaaa'aaaa, -1}));
  EXPECT_EQ(tickScaleOf(4'000'000), (TickScale{0x8000'0000, -1}));
}

TEST(GuestClock, AnInstructionIsANanosecondAndATick) {
  TestMachine machine;
  machine.execute(1'234);
  EXPECT_EQ(readTsc(machine.cpu()), 1'234U);
  EXPECT_EQ(machine.clock.ticks(), 1'234U);
  EXPECT_EQ(machine.clock.guestNs(), 1'234U);
}

TEST(GuestClock, InstructionsOfTheRunUnderWayCountAsSoonAsTheyAreTold) {
  TestMachine machine;
  machine.cpu().budgetGiven = 100;
  machine.cpu().budget = 70;
  EXPECT_EQ(readTsc(machine.cpu()), 30U);
}

TEST(GuestClock, AHaltedProcessorSkipsToItsDeadlineAndNoFurther) {
  TestMachine machine;
  machine.execute(10);
  skipTo(machine.cpu(), 5'000);
  EXPECT_EQ(readTsc(machine.cpu()), 5'000U);
  skipTo(machine.cpu(), 4'000);
  EXPECT_EQ(readTsc(machine.cpu()), 5'000U);
  EXPECT_EQ(machine.clock.guestNs(), 5'000U);
}

TEST(GuestClock, SkippingReachesTheDeadlineAtAnyFrequency) {
  for (const std::uint32_t khz : {333'333U, 2'099'998U, 3'700'001U}) {
    TestMachine machine;
    machine.clock.setTscKhz(khz);
    machine.execute(77);
    skipTo(machine.cpu(), 1'000'003);
    EXPECT_GE(readTsc(machine.cpu()), 1'000'003U) << khz;
    EXPECT_LE(readTsc(machine.cpu()), 1'000'003U + khz / 1'000'000 + 1) << khz;
  }
}

TEST(GuestClock, ASnapshotsFrequencyScalesTheTicksAndGuestTimeGoesOn) {
  TestMachine machine;
  machine.execute(1'000'000);
  readTsc(machine.cpu());
  machine.clock.setTscKhz(3'000'000);
  EXPECT_EQ(machine.clock.guestNs(), 1'000'000U);
  machine.execute(1'000'000);
  EXPECT_EQ(readTsc(machine.cpu()), 3'000'000U);
  EXPECT_NEAR(static_cast<double>(machine.clock.guestNs()), 2'000'000, 2);
}

TEST(GuestClock, GuestTimeGoesOnFromWhereASnapshotsStood) {
  TestMachine machine;
  machine.execute(500);
  readTsc(machine.cpu());
  machine.clock.load({.guestNs = 77'000'000'000, .realtimeNs = 1});
  EXPECT_EQ(machine.clock.save().guestNs, 77'000'000'000U);
  machine.execute(1'000);
  readTsc(machine.cpu());
  EXPECT_EQ(machine.clock.guestNs(), 77'000'001'000U);
}

TEST(GuestClock, ByInstructionsTicksAreNanosecondsAlsoInWhatWasRestored) {
  TestMachine machine;
  machine.execute(500);
  readTsc(machine.cpu());
  EXPECT_EQ(machine.clock.load({.guestNs = 77'000}), 76'500U);
  EXPECT_EQ(machine.clock.ticks(), 77'000U);
  EXPECT_EQ(machine.clock.origin().guestNs, 0U);
}

TEST(GuestClock, AnAlarmIsDueAtItsNanosecondAndOnce) {
  TestMachine machine;
  machine.execute(100);
  machine.clock.setAlarm(1'000);
  EXPECT_EQ(alarmTsc(machine.cpu()), 1'000U);
  machine.execute(899);
  EXPECT_FALSE(takeAlarm(machine.cpu()));
  machine.execute(1);
  EXPECT_TRUE(takeAlarm(machine.cpu()));
  EXPECT_FALSE(takeAlarm(machine.cpu()));
  EXPECT_EQ(alarmTsc(machine.cpu()), std::nullopt);
}

TEST(GuestClock, AnAlarmFollowsTheTscThatAGuestSets) {
  TestMachine machine;
  machine.execute(100);
  machine.clock.setAlarm(1'000);
  ASSERT_TRUE(writeMsr(machine.cpu(), kTsc, 5'000'000));
  EXPECT_EQ(alarmTsc(machine.cpu()), 5'000'900U);
}

TEST(GuestClock, AnAlarmThatIsOverIsDueNow) {
  TestMachine machine;
  machine.execute(100);
  machine.clock.setAlarm(7);
  EXPECT_EQ(alarmTsc(machine.cpu()), 100U);
  EXPECT_TRUE(takeAlarm(machine.cpu()));
}

TEST(GuestClock, AnAlarmIsReachedAtAnyFrequencyOfASnapshot) {
  for (const std::uint32_t khz : {333'333U, 2'099'998U, 3'700'001U}) {
    TestMachine machine;
    machine.clock.setTscKhz(khz);
    machine.clock.load({.guestNs = 9'000'000'000});
    machine.clock.setAlarm(9'000'001'000);
    skipTo(machine.cpu(), *alarmTsc(machine.cpu()));
    EXPECT_TRUE(takeAlarm(machine.cpu())) << khz;
    EXPECT_NEAR(static_cast<double>(machine.clock.guestNs()), 9'000'001'000, 4) << khz;
  }
}

TEST(GuestClock, TheHostsTimeHasNoAlarm) {
  TestMachine machine(SoftClock::host);
  machine.clock.setAlarm(0);
  EXPECT_FALSE(takeAlarm(machine.cpu()));
}

TEST(GuestClock, TheWallClockOfInstructionsIsTheSameInEveryRun) {
  TestMachine first, second;
  EXPECT_EQ(first.clock.realtimeNs(), second.clock.realtimeNs());
  first.execute(1'000);
  readTsc(first.cpu());
  EXPECT_EQ(first.clock.realtimeNs(), second.clock.realtimeNs() + 1'000);
}

TEST(GuestClock, ProcessorsThatAreLoadedOneAfterTheOtherAgree) {
  TestMachine machine;
  ASSERT_TRUE(loadTsc(machine.cpu(0), std::vector<MsrValue>{{kTsc, 1'000'000'000}}));
  // Saved half a millisecond later, loaded two later.
  machine.execute(2'000'000);
  readTsc(machine.cpu(0));
  ASSERT_TRUE(loadTsc(machine.cpu(1), std::vector<MsrValue>{{kTsc, 1'000'500'000}}));
  EXPECT_EQ(machine.cpu(1).system.tscOffset, machine.cpu(0).system.tscOffset);
}

TEST(GuestClock, ATscThatAGuestHadSetApartStaysApart) {
  TestMachine machine;
  ASSERT_TRUE(loadTsc(machine.cpu(0), std::vector<MsrValue>{{kTsc, 1'000}}));
  ASSERT_TRUE(loadTsc(machine.cpu(1), std::vector<MsrValue>{{kTsc, 90'000'000'000'000}}));
  EXPECT_EQ(machine.cpu(1).system.tscOffset, 90'000'000'000'000U);
  EXPECT_EQ(machine.clock.sharedOffset(), 1'000U);
}

TEST(GuestClock, WritingTheTscMovesItsAdjustmentAndTheOtherWayRound) {
  TestMachine machine;
  Cpu& cpu = machine.cpu();
  machine.execute(100);
  std::uint64_t value = 0;
  ASSERT_TRUE(writeMsr(cpu, kTsc, 5'100));
  ASSERT_TRUE(readMsr(cpu, kTscAdjust, value));
  EXPECT_EQ(value, 5'000U);
  ASSERT_TRUE(writeMsr(cpu, kTscAdjust, 0));
  ASSERT_TRUE(readMsr(cpu, kTsc, value));
  EXPECT_EQ(value, 100U);
}

TEST(GuestClock, TheHostsTicksRunAtTheGuestsFrequency) {
  const HostCounter host = HostCounterMeter().counter();
  const auto begin = std::chrono::steady_clock::now();
  GuestClock clock(SoftClock::host, host);
  clock.setTscKhz(host.khz / 2);
  std::this_thread::sleep_for(20ms);
  const std::uint64_t ticks = clock.ticks();
  const auto elapsed = std::chrono::nanoseconds(std::chrono::steady_clock::now() - begin).count();
  const auto atMost = static_cast<std::uint64_t>(elapsed) * (host.khz / 2) / 1'000'000;
  EXPECT_GE(ticks, std::uint64_t{host.khz} / 2 * 19);  // of the 20 that it slept at least
  EXPECT_LE(ticks, atMost + atMost / 100);
}

TEST(GuestClock, ADeadlineOfTheTscIsAMomentOfTheHost) {
  TestMachine machine(SoftClock::host);
  const auto before = std::chrono::steady_clock::now();
  const std::uint64_t inAnHour = readTsc(machine.cpu()) + std::uint64_t{2'000'000} * 3'600'000;
  EXPECT_GT(steadyTimeOf(machine.cpu(), inAnHour), before + 59min);
  EXPECT_LT(steadyTimeOf(machine.cpu(), inAnHour), std::chrono::steady_clock::now() + 61min);
  EXPECT_LE(steadyTimeOf(machine.cpu(), 0), std::chrono::steady_clock::now());
  EXPECT_LT(steadyTimeOf(machine.cpu(), ~std::uint64_t{0}), std::chrono::steady_clock::now() + 25h);
}

TEST(HostCounter, MeasuresTheSameFrequencyTwice) {
  const HostCounter first = HostCounterMeter().counter();
  const HostCounter second = HostCounterMeter().counter();
  EXPECT_EQ(first.source, second.source);
  EXPECT_NEAR(first.khz, second.khz, first.khz * 0.001);
}

TEST(HostCounter, AnswersTheSameHoweverOftenItIsAsked) {
  HostCounterMeter meter;
  EXPECT_EQ(meter.counter(), meter.counter());
}

}  // namespace
}  // namespace qm::soft
