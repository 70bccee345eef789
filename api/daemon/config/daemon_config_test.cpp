#include "api/daemon/config/daemon_config.h"

#include <gtest/gtest.h>

namespace qm {
namespace {

Environment variables(std::map<std::string, std::string> values) {
  return [values](const char* name) { return values.contains(name) ? values.at(name) : std::string(); };
}

DaemonConfig usual() {
  return defaultConfig(variables({{"HOME", "/home/ann"}}), "/opt/quickmatch/bin");
}

TEST(DefaultPaths, TheStateFolderFollowsXdg) {
  EXPECT_EQ(defaultStateFolder(variables({{"XDG_STATE_HOME", "/s"}, {"HOME", "/home/ann"}})), "/s/quickmatch");
  EXPECT_EQ(defaultStateFolder(variables({{"XDG_STATE_HOME", "s"}, {"HOME", "/home/ann"}})),
            "/home/ann/.local/state/quickmatch");
  EXPECT_EQ(defaultStateFolder(variables({})), "/var/lib/quickmatch");
}

TEST(DefaultPaths, ClientAndDaemonMeetAtTheSameSocket) {
  const Environment environment = variables({{"HOME", "/home/ann"}});
  EXPECT_EQ(defaultApiSocket(environment), defaultConfig(environment, "/bin").socket);
  EXPECT_EQ(defaultApiSocket(variables({{"QUICKMATCH_SOCKET", "/run/q.sock"}})), "/run/q.sock");
}

TEST(DaemonConfig, AnEmptyObjectLeavesEverythingAsItIs) {
  const DaemonConfig config = configFromJson("{}", usual()).value();
  EXPECT_EQ(config.listen, "127.0.0.1:8180");
  EXPECT_EQ(config.vmm, "/opt/quickmatch/bin/quickmatch-vmm");
  EXPECT_EQ(config.jail, JailChoice::namespaces);
  EXPECT_EQ(config.seccomp, seccomp::defaultLevel());
}

TEST(DaemonConfig, AllOfItCanBeSaid) {
  const DaemonConfig config = configFromJson(R"({
      "state":"/var/q","listen":"","hypervisor":"soft","jail":"none","cgroups":"required","seccomp_level":0,"vmm":"/v","spawner":"/s","folders":["/srv/images"],
      "request_threads":8,"pool":{"refills_at_once":3,"blanks":0,"longest_ttl_seconds":90},
      "templates":{"hello":{"kernel":"/srv/images/vmlinux","pool_size":2}}})",
                                             usual())
                                  .value();
  EXPECT_EQ(config.socket, "/var/q/api.sock") << "it follows the state folder";
  EXPECT_EQ(config.hypervisor, HypervisorChoice::soft);
  EXPECT_EQ(config.seccomp, seccomp::Level::off);
  EXPECT_EQ(config.cgroups, CgroupUse::required);
  EXPECT_EQ(config.pool.refillsAtOnce, 3U);
  EXPECT_EQ(config.pool.longestTtl, std::chrono::seconds(90));
  ASSERT_EQ(config.templates.size(), 1U);
  EXPECT_EQ(config.templates[0].name, "hello");
  EXPECT_TRUE(check(config).has_value());
}

TEST(DaemonConfig, AMistakeIsToldWithWhereItIs) {
  EXPECT_EQ(configFromJson(R"({"templates":{"hello":{"kernel":"k"}}})", usual()).error().text(),
            "templates: hello: \"kernel\" must be an absolute path, which k is not");
  EXPECT_EQ(configFromJson(R"({"jail":"chroot"})", usual()).error().text(),
            "there is no jail \"chroot\"; there are namespaces and none");
  EXPECT_EQ(configFromJson(R"({"cgroups":"maybe"})", usual()).error().text(),
            "\"cgroups\" may be required, where-possible or off, not \"maybe\"");
  EXPECT_FALSE(configFromJson(R"({"seccomp_level":3})", usual()).has_value());
  EXPECT_FALSE(configFromJson(R"({"pool":{"blank":1}})", usual()).has_value());
}

TEST(DaemonConfig, AStateFolderWhoseSocketsWouldHaveNoNameIsRefused) {
  DaemonConfig config = usual();
  config.state = "/" + std::string(61, 's');
  EXPECT_EQ(check(config).error().remedy(), Remedy::fixInput);
}

}  // namespace
}  // namespace qm
