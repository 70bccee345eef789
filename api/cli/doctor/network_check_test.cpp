#include "api/cli/doctor/network_check.h"

#include <gtest/gtest.h>

namespace qm::cli {
namespace {

TEST(NetworkCheck, WhatASlotLacksIsToldAndWhatThatMeans) {
  EXPECT_EQ(checkNetworkSlots({}), (Finding{.what = "network slots", .found = "one was made"}));
  const Finding lacking = checkNetworkSlots(Error(Remedy::giveUp, "opening tap tap0: no; load the module tun"));
  EXPECT_EQ(lacking.state, Finding::State::limited);
  EXPECT_EQ(lacking.remedy,
            "opening tap tap0: no; load the module tun. Until then no VM of a template with \"net\": \"slot\" starts.");
}

}  // namespace
}  // namespace qm::cli
