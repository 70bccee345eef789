#include "api/cli/doctor/host_checks.h"

#include <gtest/gtest.h>

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

TEST(HostChecks, UserNamespacesMayBeThereForRootOnly) {
  EXPECT_EQ(checkUserNamespaces("63000\n", std::nullopt).state, State::good);
  EXPECT_EQ(checkUserNamespaces("63000\n", "0\n").found, "for root only");
  EXPECT_EQ(checkUserNamespaces("0\n", "1\n").found, "none allowed");
  EXPECT_EQ(checkUserNamespaces(std::nullopt, std::nullopt).found, "not in this kernel");
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
  for (const Finding& finding : {checkKernelRelease("4.19"), checkUserNamespaces("0", "0"),
                                 checkUserNamespaces("1", "0"), checkCgroups("", true), checkCgroups("", false),
                                 checkOpenFiles(""), checkDisk(0), checkTun(false), checkMemory("")}) {
    EXPECT_NE(finding.state, State::good) << finding.what;
    EXPECT_TRUE(finding.remedy.ends_with('.')) << finding.what;
  }
  EXPECT_EQ(checkMemory("MemTotal: 9 kB\nMemAvailable:   1048576 kB\n").remedy, "");
}

}  // namespace
}  // namespace qm::cli
