#include "api/cli/doctor/host_checks.h"

#include <gtest/gtest.h>

#include "api/cli/doctor/hypervisor_check.h"
#include "api/cli/doctor/jail_check.h"

namespace qm::cli {
namespace {

using State = Finding::State;

TEST(HostChecks, AKernelIsJudgedByItsNumbersNotItsDigits) {
  EXPECT_EQ(checkKernelRelease("6.1.0-18-amd64\n").state, State::good);
  EXPECT_EQ(checkKernelRelease("5.14.0").state, State::good);
  EXPECT_EQ(checkKernelRelease("5.9.16").state, State::missing);
  EXPECT_EQ(checkKernelRelease("10.0").state, State::good);
  EXPECT_EQ(checkKernelRelease("").state, State::missing);
}

const KvmKind kHardware{.state = KvmState::hardware, .reason = "fast"};
const KvmKind kEmulated{.state = KvmState::emulated, .reason = "slow"};
const Status kNoSoft = Error(Remedy::giveUp, "the CPU lacks popcnt");

TEST(HostChecks, KvmHasThreeStatesAndOnlyOneOfThemIsGood) {
  EXPECT_EQ(checkKvm(kHardware).found, "hardware: fast");
  EXPECT_EQ(checkKvm(kHardware).state, State::good);
  EXPECT_EQ(checkKvm(kEmulated).state, State::limited);
  EXPECT_EQ(checkKvm(KvmKind{.state = KvmState::absent, .reason = "no device"}).found, "absent: no device");
}

TEST(HostChecks, TheDecisionComesFirstAndSaysWhy) {
  EXPECT_EQ(checkHypervisors(kHardware, Status()).front().found, "auto takes kvm, since fast");
  EXPECT_EQ(checkHypervisors(kHardware, kNoSoft).front().state, State::good);
  EXPECT_EQ(checkHypervisors(kEmulated, Status()).front().found,
            "auto takes soft, since this host's KVM is emulated: slow");
  EXPECT_EQ(checkHypervisors(kEmulated, Status()).front().state, State::good);
}

TEST(HostChecks, OnlyAHostForNeitherLacksAHypervisor) {
  const std::vector<Finding> findings = checkHypervisors(kEmulated, kNoSoft);
  ASSERT_EQ(findings.size(), 3U);
  EXPECT_EQ(findings[0].state, State::missing);
  EXPECT_EQ(findings[1].found, "emulated: slow");
  EXPECT_EQ(findings[2].found, "the CPU lacks popcnt");
}

TEST(HostChecks, AJailIsOneFindingUnlessAPartOfItDoesNotWork) {
  JailSupport support{.parts = {{.name = "pid namespace", .works = true}, {.name = "mount namespace", .works = true}}};
  EXPECT_EQ(checkJail(support).size(), 1U);
  support.parts[1] = {.name = "mount namespace", .works = false, .remedy = "Allow it."};
  EXPECT_EQ(checkJail(support).front().what, "jail: mount namespace");
}

TEST(HostChecks, TheSoftLimitOfOpenFilesCounts) {
  constexpr std::string_view kLimits =
      "Limit                     Soft Limit           Hard Limit           Units\n"
      "Max open files            1024                 1048576              files\n";
  EXPECT_EQ(checkOpenFiles(kLimits).found, "1024 at once");
  EXPECT_EQ(checkOpenFiles(kLimits).state, State::limited);
}

TEST(HostChecks, WhatIsNotGoodHasARemedyThatIsASentence) {
  for (const Finding& finding :
       {checkKernelRelease("4.19"), checkKvm(KvmKind{}), checkKvm(kEmulated),
        checkKvm(Error(Remedy::retry, "no memory")), checkSoft(kNoSoft), checkHypervisors(kEmulated, kNoSoft).front(),
        checkOpenFiles(""), checkDisk(0), checkMemory("")}) {
    EXPECT_NE(finding.state, State::good) << finding.what;
    EXPECT_TRUE(finding.remedy.ends_with('.')) << finding.what;
  }
  EXPECT_EQ(checkMemory("MemTotal: 9 kB\nMemAvailable:   1048576 kB\n").remedy, "");
}

}  // namespace
}  // namespace qm::cli
