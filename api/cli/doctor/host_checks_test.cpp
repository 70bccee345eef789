#include "api/cli/doctor/host_checks.h"

#include <gtest/gtest.h>

#include "api/cli/doctor/jail_check.h"
#include "api/cli/doctor/kvm_check.h"

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

TEST(HostChecks, KvmHasThreeStatesAndOnlyOneOfThemIsGood) {
  EXPECT_EQ(checkKvm(KvmKind{.state = KvmState::hardware, .reason = "fast"}).found, "hardware: fast");
  EXPECT_EQ(checkKvm(KvmKind{.state = KvmState::emulated, .reason = "slow"}).state, State::missing);
  EXPECT_EQ(checkKvm(KvmKind{.state = KvmState::absent, .reason = "no device"}).found, "absent: no device");
}

TEST(HostChecks, AJailIsOneFindingUnlessAPartOfItDoesNotWork) {
  JailSupport support{.parts = {{.name = "pid namespace", .works = true}, {.name = "mount namespace", .works = true}}};
  EXPECT_EQ(checkJail(support).size(), 1U);
  support.parts[1] = {.name = "mount namespace", .works = false, .remedy = "Allow it."};
  EXPECT_EQ(checkJail(support).front().what, "jail: mount namespace");
}

TEST(HostChecks, CgroupsNeedMemoryAndCpuInVersion2) {
  EXPECT_EQ(checkCgroups("cpuset cpu io memory pids\n", false).state, State::good);
  EXPECT_EQ(checkCgroups("hugetlb\n", true).found, "version 1");
  EXPECT_EQ(checkCgroups(std::nullopt, false).found, "none");
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
       {checkKernelRelease("4.19"), checkKvm(KvmKind{}), checkKvm(KvmKind{.state = KvmState::emulated}),
        checkCgroups("", true), checkCgroups("", false), checkOpenFiles(""), checkDisk(0), checkTun(false),
        checkMemory("")}) {
    EXPECT_NE(finding.state, State::good) << finding.what;
    EXPECT_TRUE(finding.remedy.ends_with('.')) << finding.what;
  }
  EXPECT_EQ(checkMemory("MemTotal: 9 kB\nMemAvailable:   1048576 kB\n").remedy, "");
}

}  // namespace
}  // namespace qm::cli
