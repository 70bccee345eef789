// The local APIC's timer, SDM 3A 11.5.4.
#include "vmm/hypervisor/soft/chips/apic_timer.h"

#include <limits>

#include <gtest/gtest.h>

namespace qm::soft {
namespace {

constexpr std::uint32_t kTwoGhz = 2'000'000;  // 2 TSC ticks a nanosecond
constexpr std::uint32_t kByOne = 0xb, kByTwo = 0x0, kBy128 = 0xa;

ApicTimer timerBy(std::uint32_t divide, TimerMode mode = TimerMode::oneShot) {
  ApicTimer timer(kTwoGhz);
  timer.setMode(mode, 0);
  timer.setDivide(divide, 0);
  return timer;
}

TEST(ApicTimer, AFreshOneStands) {
  ApicTimer timer(kTwoGhz);
  EXPECT_FALSE(timer.runOut(std::numeric_limits<std::uint64_t>::max()));
  EXPECT_EQ(timer.expiry(), std::nullopt);
}

TEST(ApicTimer, OneShotRunsOutOnceAfterItsCountOfNanoseconds) {
  ApicTimer timer = timerBy(kByOne);
  timer.setInitialCount(1000, 500);
  EXPECT_EQ(timer.expiry(), 2500U);
  EXPECT_FALSE(timer.runOut(2499));
  EXPECT_TRUE(timer.runOut(2500));
  EXPECT_FALSE(timer.runOut(1'000'000));
  EXPECT_EQ(timer.initialCount(), 1000U);
  EXPECT_EQ(timer.currentCount(1'000'000), 0U);
}

TEST(ApicTimer, TheDividerMakesItSlower) {
  struct Row {
    std::uint32_t configuration, divider;
  };
  // SDM 3A figure 11-10.
  for (const Row row :
       {Row{0x0, 2}, Row{0x1, 4}, Row{0x2, 8}, Row{0x3, 16}, Row{0x8, 32}, Row{0x9, 64}, Row{0xa, 128}, Row{0xb, 1}}) {
    ApicTimer timer = timerBy(row.configuration);
    timer.setInitialCount(10, 0);
    EXPECT_EQ(timer.expiry(), 20U * row.divider) << std::hex << row.configuration;
  }
}

TEST(ApicTimer, TheCountThatIsLeftIsRoundedUpUntilItHasRunOut) {
  ApicTimer timer = timerBy(kBy128);
  timer.setInitialCount(3, 0);
  EXPECT_EQ(timer.currentCount(0), 3U);
  EXPECT_EQ(timer.currentCount(256), 2U);
  EXPECT_EQ(timer.currentCount(257), 2U);
  EXPECT_EQ(timer.currentCount(767), 1U);
  EXPECT_EQ(timer.currentCount(768), 0U);
}

TEST(ApicTimer, ACountOfZeroStopsIt) {
  ApicTimer timer = timerBy(kByOne);
  timer.setInitialCount(1000, 0);
  timer.setInitialCount(0, 10);
  EXPECT_FALSE(timer.runOut(1'000'000));
}

TEST(ApicTimer, PeriodicRunsOutAgainInStepWithItsStart) {
  ApicTimer timer = timerBy(kByOne, TimerMode::periodic);
  timer.setInitialCount(1000, 0);
  EXPECT_TRUE(timer.runOut(2100));  // 100 late
  EXPECT_FALSE(timer.runOut(3999));
  EXPECT_TRUE(timer.runOut(4000));
}

TEST(ApicTimer, PeriodsThatWereMissedAreOne) {
  ApicTimer timer = timerBy(kByOne, TimerMode::periodic);
  timer.setInitialCount(1000, 0);
  EXPECT_TRUE(timer.runOut(20'500));
  EXPECT_FALSE(timer.runOut(20'500));
  EXPECT_EQ(timer.expiry(), 22'000U);
}

TEST(ApicTimer, TheSlowestTimerHasNoOverflow) {
  ApicTimer timer(std::numeric_limits<std::uint32_t>::max());
  timer.setMode(TimerMode::periodic, 0);
  timer.setDivide(kBy128, 0);
  timer.setInitialCount(0xffff'ffff, 0);
  // (2^32 - 1) * 128 ns at (2^32 - 1) kHz, rounded up.
  EXPECT_EQ(timer.expiry(), 2'361'183'240'335'311U);
  EXPECT_EQ(timer.currentCount(0), 0xffff'ffffU);
}

TEST(ApicTimer, AStartAtTheEndOfTimeStaysThere) {
  ApicTimer timer = timerBy(kByOne, TimerMode::periodic);
  const std::uint64_t end = std::numeric_limits<std::uint64_t>::max();
  timer.setInitialCount(1000, end - 10);
  EXPECT_EQ(timer.expiry(), end);
  EXPECT_TRUE(timer.runOut(end));
  EXPECT_EQ(timer.expiry(), end);
}

TEST(ApicTimer, ADeadlineIsAMomentAndDisarmsWhenItHasPassed) {
  ApicTimer timer = timerBy(kByOne, TimerMode::tscDeadline);
  timer.setDeadline(1234);
  EXPECT_EQ(timer.deadline(), 1234U);
  EXPECT_FALSE(timer.runOut(1233));
  EXPECT_TRUE(timer.runOut(1234));
  EXPECT_EQ(timer.deadline(), 0U);
  EXPECT_FALSE(timer.runOut(5000));
}

TEST(ApicTimer, ADeadlineOfZeroDisarms) {
  ApicTimer timer = timerBy(kByOne, TimerMode::tscDeadline);
  timer.setDeadline(1234);
  timer.setDeadline(0);
  EXPECT_FALSE(timer.runOut(5000));
}

TEST(ApicTimer, CountsAndDeadlinesAreOfTheirModesOnly) {
  ApicTimer counting = timerBy(kByOne);
  counting.setDeadline(100);
  EXPECT_FALSE(counting.runOut(1000));
  ApicTimer waiting = timerBy(kByOne, TimerMode::tscDeadline);
  waiting.setInitialCount(100, 0);
  EXPECT_FALSE(waiting.runOut(1000));
  EXPECT_EQ(waiting.initialCount(), 0U);
  ApicTimer reserved = timerBy(kByOne, TimerMode::reserved);
  reserved.setInitialCount(100, 0);
  reserved.setDeadline(100);
  EXPECT_FALSE(reserved.runOut(1000));
}

TEST(ApicTimer, AChangeBetweenCountingModesLetsItCountOn) {
  ApicTimer timer = timerBy(kByOne);
  timer.setInitialCount(1000, 0);
  timer.setMode(TimerMode::periodic, 0);
  EXPECT_TRUE(timer.runOut(2000));
  EXPECT_TRUE(timer.runOut(4000));
}

TEST(ApicTimer, AOneShotThatRanOutStartsOverWhenItBecomesPeriodic) {
  ApicTimer timer = timerBy(kByOne);
  timer.setInitialCount(1000, 0);
  EXPECT_TRUE(timer.runOut(2000));
  timer.setMode(TimerMode::periodic, 5000);
  EXPECT_EQ(timer.expiry(), 7000U);
}

TEST(ApicTimer, AChangeToOrFromTheDeadlineStopsIt) {
  ApicTimer timer = timerBy(kByOne);
  timer.setInitialCount(1000, 0);
  timer.setMode(TimerMode::tscDeadline, 0);
  EXPECT_FALSE(timer.runOut(3000));
  EXPECT_EQ(timer.initialCount(), 0U);
  timer.setDeadline(4000);
  timer.setMode(TimerMode::oneShot, 0);
  EXPECT_FALSE(timer.runOut(5000));
}

TEST(ApicTimer, AChangeOfTheDividerKeepsTheCountThatIsLeft) {
  ApicTimer timer = timerBy(kByOne);
  timer.setInitialCount(1000, 0);
  timer.setDivide(kByTwo, 1000);  // 500 are left
  EXPECT_EQ(timer.currentCount(1000), 500U);
  EXPECT_EQ(timer.expiry(), 3000U);
}

TEST(ApicTimer, ATscThatIsSetDoesNotChangeWhatACountHasLeft) {
  ApicTimer timer = timerBy(kByOne);
  timer.setInitialCount(1000, 1'000'000);
  timer.moveTsc(1'000'500, 7);
  EXPECT_EQ(timer.expiry(), 7U + 1500U);
}

TEST(ApicTimer, ATscThatIsSetDoesNotChangeADeadline) {
  ApicTimer timer = timerBy(kByOne, TimerMode::tscDeadline);
  timer.setDeadline(1234);
  timer.moveTsc(1000, 0);
  EXPECT_EQ(timer.deadline(), 1234U);
}

TEST(ApicTimer, ALoadedOneShotCountsOnFromWhatWasLeft) {
  ApicTimer timer(kTwoGhz);
  timer.load(TimerMode::oneShot, kByOne, 1000, 300, 50'000);
  EXPECT_EQ(timer.expiry(), 50'600U);
  EXPECT_EQ(timer.initialCount(), 1000U);
}

TEST(ApicTimer, ALoadedOneShotThatStandsAtZeroHasFiredAlready) {
  ApicTimer timer(kTwoGhz);
  timer.load(TimerMode::oneShot, kByOne, 1000, 0, 50'000);
  EXPECT_EQ(timer.expiry(), std::nullopt);
  EXPECT_EQ(timer.initialCount(), 1000U);
}

TEST(ApicTimer, ALoadedPeriodicThatStandsAtZeroStartsOver) {
  ApicTimer timer(kTwoGhz);
  timer.load(TimerMode::periodic, kByOne, 1000, 0, 50'000);
  EXPECT_EQ(timer.expiry(), 52'000U);
}

TEST(ApicTimer, ALoadedCountReadsAsItWas) {
  ApicTimer timer(2'100'001);  // no count is a whole number of TSC ticks
  for (std::uint32_t count = 1; count < 50; ++count) {
    timer.load(TimerMode::oneShot, kByOne, 1000, count, 50'000);
    EXPECT_EQ(timer.currentCount(50'000), count);
  }
}

TEST(ApicTimer, ALoadedCountIsNeverMoreThanTheInitialOne) {
  ApicTimer timer(kTwoGhz);
  timer.load(TimerMode::oneShot, kByOne, 1000, 0xffff'ffff, 0);
  EXPECT_EQ(timer.expiry(), 2000U);
}

TEST(ApicTimer, ACountThatGoesOnRunsOutAtTheTickThatIsTold) {
  ApicTimer timer(1'000'000);
  timer.load(TimerMode::oneShot, 0x3, 1'000, 500, 0);  // by 16
  timer.setExpiry(7'990);
  EXPECT_FALSE(timer.runOut(7'989));
  EXPECT_TRUE(timer.runOut(7'990));
}

TEST(ApicTimer, OneThatStandsIsNotStartedByBeingToldItsEnd) {
  ApicTimer timer(1'000'000);
  timer.load(TimerMode::oneShot, 0x3, 1'000, 0, 0);
  timer.setExpiry(7'990);
  EXPECT_EQ(timer.expiry(), std::nullopt);
}

}  // namespace
}  // namespace qm::soft
