#include "api/cli/doctor/confinement_checks.h"

#include <gtest/gtest.h>

namespace qm::cli {
namespace {

using State = Finding::State;

TEST(ConfinementChecks, CgroupsTellWhatHoldsAndWhatIsMissing) {
  EXPECT_EQ(checkCgroups("version 1: memory pids cpu", {}),
            (Finding{.what = "cgroups", .found = "version 1: memory pids cpu"}));
  const Finding partly = checkCgroups("version 2: pids", {"No memory.", "No cpu."});
  EXPECT_EQ(partly.state, State::limited);
  EXPECT_EQ(partly.remedy, "No memory. No cpu.");
  EXPECT_EQ(checkCgroups("", {"None."}).found, "none that VMs can be held by");
}

TEST(ConfinementChecks, LandlockIsToldWithItsVersion) {
  EXPECT_EQ(checkLandlock(7).found, "version 7, with scopes");
  EXPECT_EQ(checkLandlock(2).state, State::good);
  EXPECT_EQ(checkLandlock(0).state, State::limited);
}

TEST(ConfinementChecks, SeccompNeedsTheActionsThatItsFiltersTake) {
  EXPECT_EQ(checkSeccomp("kill_process kill_thread trap errno user_notif trace log allow\n").state, State::good);
  EXPECT_EQ(checkSeccomp(std::nullopt).state, State::limited);
  EXPECT_EQ(checkSeccomp("allow\n").found, "no filters: level 0 only");
}

TEST(ConfinementChecks, EachSwitchThatForbidsUserNamespacesIsNamed) {
  EXPECT_EQ(checkUserNamespaces({}).state, State::good);
  EXPECT_EQ(checkUserNamespaces({.most = "96000\n", .unprivileged = "1\n", .restricted = "0\n"}).state, State::good);
  EXPECT_NE(checkUserNamespaces({.most = "0\n"}).remedy.find("user.max_user_namespaces"), std::string::npos);
  EXPECT_NE(checkUserNamespaces({.unprivileged = "0\n"}).remedy.find("unprivileged_userns_clone"), std::string::npos);
  EXPECT_NE(checkUserNamespaces({.restricted = "1\n"}).remedy.find("apparmor"), std::string::npos);
}

TEST(ConfinementChecks, WhatIsNotGoodHasARemedyThatIsASentence) {
  for (const Finding& finding :
       {checkLandlock(0), checkSeccomp(std::nullopt), checkUserNamespaces({.most = "0"}),
        checkUserNamespaces({.unprivileged = "0"}), checkUserNamespaces({.restricted = "1"})}) {
    EXPECT_NE(finding.state, State::good) << finding.found;
    EXPECT_TRUE(finding.remedy.ends_with('.')) << finding.remedy;
  }
}

}  // namespace
}  // namespace qm::cli
