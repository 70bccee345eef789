#include "vmm/cgroup/hierarchies.h"

#include <gtest/gtest.h>

namespace qm {
namespace {

constexpr const char* kVersion1Mounts =
    "25 30 0:22 / /proc rw,relatime shared:12 - proc proc rw\n"
    "33 32 0:29 / /sys/fs/cgroup/cpu,cpuacct rw,nosuid shared:14 - cgroup cgroup rw,cpu,cpuacct\n"
    "34 32 0:30 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
    "35 32 0:31 / /sys/fs/cgroup/unified rw shared:3 - cgroup2 cgroup2 rw,nsdelegate\n";

TEST(Hierarchies, EachOfVersion1IsKnownByItsControllers) {
  const auto found = hierarchiesFrom(kVersion1Mounts, "4:memory:/user/1\n1:cpu,cpuacct:/\n0::/init.scope\n");
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0], (Hierarchy{.version = CgroupVersion::v1,
                                 .controllers = {"cpu", "cpuacct"},
                                 .top = "/sys/fs/cgroup/cpu,cpuacct",
                                 .own = "/sys/fs/cgroup/cpu,cpuacct"}));
  EXPECT_EQ(found[1].own, "/sys/fs/cgroup/memory/user/1");
  EXPECT_EQ(found[2], (Hierarchy{.version = CgroupVersion::v2,
                                 .controllers = {},
                                 .top = "/sys/fs/cgroup/unified",
                                 .own = "/sys/fs/cgroup/unified/init.scope"}));
}

// A container that sees its own group as the mount's top.
TEST(Hierarchies, AMountThatBeginsAtAGroupShowsWhatIsBelowIt) {
  constexpr const char* kMount = "34 32 0:30 /docker/c1 /sys/fs/cgroup ro - cgroup2 cgroup rw\n";
  EXPECT_EQ(hierarchiesFrom(kMount, "0::/docker/c1/app\n").at(0).own, "/sys/fs/cgroup/app");
  EXPECT_EQ(hierarchiesFrom(kMount, "0::/docker/c1\n").at(0).own, "/sys/fs/cgroup");
  EXPECT_TRUE(hierarchiesFrom(kMount, "0::/docker/c12\n").empty()) << "another's, of a name that begins alike";
  EXPECT_TRUE(hierarchiesFrom(kMount, "0::/../other\n").empty());
}

TEST(Hierarchies, LinesThatMakeNoSenseAreNone) {
  EXPECT_TRUE(hierarchiesFrom("", "").empty());
  EXPECT_TRUE(hierarchiesFrom("34 32 - cgroup\n - \n", "4\n:::\n0:\n").empty());
}

}  // namespace
}  // namespace qm
