// The local APIC's timer in its three modes (SDM 3A, 11.5.4).
#include <algorithm>

#include <gmock/gmock.h>

#include "tests/contract/guest.h"
#include "tests/contract/interrupt_code.h"

namespace qm::contract {
namespace {

class Timers : public ContractTest {
 protected:
  bool hasDeadline() {
    const CpuidTable cpuid = require(hypervisor().supportedCpuid());
    return std::ranges::any_of(cpuid,
                               [](const CpuidEntry& entry) { return entry.leaf == 1 && (entry.ecx >> 24U & 1U) != 0; });
  }
};
INSTANTIATE_TEST_SUITE_P(Backends, Timers, testing::ValuesIn(backends()), backendName);

constexpr std::uint8_t kVector = 0x60;
constexpr std::uint32_t kTicked = 0xa1, kTicks = 1'000'000;

std::vector<std::uint32_t> reportsOf(Hypervisor& hypervisor, void (*body)(GuestCode&)) {
  GuestCode code(kCode);
  enableLocalApic(code);
  code.poke(kLocalApic + kTimerDivide, kDivideByOne);
  body(code);
  code.report(kDonePort, 0U);
  const GuestCode::Label handler = emitCountingHandler(code, kTicked);
  Guest guest(hypervisor);
  guest.startLongMode(code);
  guest.setHandler(kVector, code.address(handler));
  return guest.runToEnd();
}

TEST_P(Timers, OneShotFiresOnceAndStandsAtZero) {
  const auto reports = reportsOf(hypervisor(), [](GuestCode& code) {
    code.poke(kLocalApic + kLvtTimer, kVector);
    code.poke(kLocalApic + kTimerInitial, kTicks);
    waitForInterrupts(code, 1);
    code.move(Reg::rbx, kLocalApic + kTimerCurrent);
    code.load(Reg::rax, Reg::rbx, Width::dword);
    code.report(kReportPort, Reg::rax);
  });
  EXPECT_EQ(reports, (std::vector<std::uint32_t>{kTicked, 0}));
}

TEST_P(Timers, OneShotCountsDown) {
  const auto reports = reportsOf(hypervisor(), [](GuestCode& code) {
    code.poke(kLocalApic + kLvtTimer, kMasked | kVector);
    code.poke(kLocalApic + kTimerInitial, 0xffff'ffff);
    code.move(Reg::rbx, kLocalApic + kTimerCurrent);
    for (int i = 0; i < 2; ++i) {
      code.load(Reg::rax, Reg::rbx, Width::dword);
      code.report(kReportPort, Reg::rax);
    }
  });
  ASSERT_EQ(reports.size(), 2U);
  EXPECT_LT(reports[0], 0xffff'ffffU);
  EXPECT_LT(reports[1], reports[0]);
}

TEST_P(Timers, PeriodicFiresAgain) {
  const auto reports = reportsOf(hypervisor(), [](GuestCode& code) {
    code.poke(kLocalApic + kLvtTimer, kTimerPeriodic | kVector);
    code.poke(kLocalApic + kTimerInitial, kTicks);
    waitForInterrupts(code, 3);
  });
  // On a busy host the next one may wait when the handler returns.
  EXPECT_GE(reports.size(), 3U);
  EXPECT_THAT(reports, testing::Each(kTicked));
}

// Arms the deadline so many ticks of the TSC from the moment.
void armDeadline(GuestCode& code, std::uint64_t ticks) {
  code.rdtsc();
  code.move(Reg::r9, ticks);
  code.add(Reg::rax, Reg::r9);
  code.move(Reg::r9, Reg::rax);
  code.shiftRight(Reg::r9, 32);
  code.add(Reg::rdx, Reg::r9);  // the carry
  code.move(Reg::rcx, kDeadlineMsr);
  code.wrmsr();
}

TEST_P(Timers, DeadlineFiresOnceAndDisarms) {
  if (!hasDeadline()) GTEST_SKIP() << "this host has no TSC deadline";
  const auto reports = reportsOf(hypervisor(), [](GuestCode& code) {
    code.poke(kLocalApic + kLvtTimer, kTimerDeadline | kVector);
    armDeadline(code, kTicks);
    waitForInterrupts(code, 1);
    code.move(Reg::rcx, kDeadlineMsr);
    code.rdmsr();
    code.report(kReportPort, Reg::rax);
  });
  EXPECT_EQ(reports, (std::vector<std::uint32_t>{kTicked, 0}));
}

TEST_P(Timers, ADeadlineInThePastFiresAtOnce) {
  if (!hasDeadline()) GTEST_SKIP() << "this host has no TSC deadline";
  const auto reports = reportsOf(hypervisor(), [](GuestCode& code) {
    code.poke(kLocalApic + kLvtTimer, kTimerDeadline | kVector);
    code.writeMsr(kDeadlineMsr, 1);
    waitForInterrupts(code, 1);
  });
  EXPECT_EQ(reports, (std::vector<std::uint32_t>{kTicked}));
}

}  // namespace
}  // namespace qm::contract
