#include "vmm/guest/agent/account.h"

#include <gtest/gtest.h>

namespace qm::agent {
namespace {

constexpr std::string_view kPasswd =
    "root:x:0:0:root:/root:/bin/sh\n"
    "not a line\n"
    "bad:x:one:1::/:/bin/sh\n"
    "alice:x:1000:1001:Alice,,,:/home/alice:/bin/sh";
constexpr std::string_view kGroup =
    "root:x:0:\n"
    "audio:x:29:bob,alice\n"
    "video:x:44:alicea\n";

TEST(Account, IsFoundByNameWithItsGroups) {
  const Account alice{
      .name = "alice", .home = "/home/alice", .credentials = {.user = 1000, .group = 1001, .groups = {29}}};
  EXPECT_EQ(findAccount(kPasswd, kGroup, "alice").value(), alice);
}

TEST(Account, IsFoundByNumber) {
  EXPECT_EQ(findAccount(kPasswd, kGroup, "1000").value().name, "alice");
}

TEST(Account, ANumberThatIsNotListedIsAUserWithoutAHome) {
  const Account unknown{.name = "77", .home = "/", .credentials = {.user = 77, .group = 77, .groups = {}}};
  EXPECT_EQ(findAccount(kPasswd, kGroup, "77").value(), unknown);
  EXPECT_EQ(findAccount("", "", "77").value(), unknown);
}

TEST(Account, ANameThatIsNotListedOrWhoseLineIsBrokenIsNobody) {
  for (const std::string_view user : {"bob", "bad", "not a line", "", "-1", "99999999999"}) {
    EXPECT_FALSE(findAccount(kPasswd, kGroup, user).has_value()) << user;
  }
}

}  // namespace
}  // namespace qm::agent
