#include "api/vmm/jail/jail_options.h"

#include <gtest/gtest.h>

namespace qm::vmm {
namespace {

Result<JailOptions> parse(std::vector<const char*> words) {
  return parseJailOptions(words);
}

std::string refusalOf(std::vector<const char*> more) {
  std::vector<const char*> words{"--id", "demo", "--exec-file", "/bin/vmm", "--uid", "1", "--gid", "2"};
  words.insert(words.end(), more.begin(), more.end());
  const Result<JailOptions> options = parse(words);
  return options.has_value() ? "" : options.error().text();
}

TEST(JailOptions, AreTheJailersWords) {
  const JailOptions options = parse({"--id",
                                     "demo",
                                     "--exec-file",
                                     "/bin/vmm",
                                     "--uid",
                                     "123",
                                     "--gid=100",
                                     "--cgroup",
                                     "memory.max=1G",
                                     "--cgroup",
                                     "pids.max=20",
                                     "--cgroup-version",
                                     "2",
                                     "--resource-limit",
                                     "fsize=4096",
                                     "--resource-limit",
                                     "no-file=300",
                                     "--netns",
                                     "/var/run/netns/n",
                                     "--new-pid-ns",
                                     "--daemonize",
                                     "--",
                                     "--api-sock",
                                     "a.sock"})
                                  .value();
  EXPECT_EQ(options.root(), "/srv/jailer/vmm/demo/root");
  EXPECT_EQ(options.uid, 123U);
  EXPECT_EQ(options.gid, 100U);
  EXPECT_EQ(options.cgroups,
            (std::vector<CgroupSetting>{{.file = "memory.max", .value = "1G"}, {.file = "pids.max", .value = "20"}}));
  EXPECT_EQ(options.cgroupVersion, CgroupVersion::v2);
  EXPECT_EQ(options.parentCgroup, "vmm");
  EXPECT_EQ(options.limits.fileBytes, 4096U);
  EXPECT_EQ(options.limits.openFiles, 300U);
  EXPECT_TRUE(options.newPidNamespace && options.daemonize);
  EXPECT_EQ(options.arguments, (std::vector<std::string>{"--api-sock", "a.sock"}));
}

TEST(JailOptions, WhatIsMissingOrWrongIsNamed) {
  EXPECT_EQ(parse({"--id", "demo"}).error().text(), "--id, --exec-file, --uid and --gid must be named");
  EXPECT_EQ(refusalOf({"--uid"}), "--uid needs a value");
  EXPECT_EQ(refusalOf({"--uid", "-1"}), "\"-1\" is no number up to 4294967294");
  EXPECT_EQ(refusalOf({"--dance"}), "there is no option \"--dance\"; see jail --help");
  EXPECT_EQ(refusalOf({"--daemonize=yes"}), "--daemonize takes no value");
}

TEST(JailOptions, NoNameLeadsElsewhere) {
  EXPECT_NE(refusalOf({"--id", "../other"}), "");
  EXPECT_NE(refusalOf({"--exec-file", "vmm"}), "");
  EXPECT_NE(refusalOf({"--chroot-base-dir", "/srv/../etc"}), "");
  EXPECT_NE(refusalOf({"--parent-cgroup", ".."}), "");
  EXPECT_NE(refusalOf({"--cgroup", "../memory.max=1"}), "");
  EXPECT_NE(refusalOf({"--resource-limit", "core=1"}), "");
  EXPECT_EQ(refusalOf({"--resource-limit", "no-file=255"}), "no-file is 256 or more");
}

}  // namespace
}  // namespace qm::vmm
