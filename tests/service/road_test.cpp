// Each road to a guest, and what a guest that was handed out can do and has for its own.
#include <chrono>
#include <set>
#include <string>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "tests/service/hello_test.h"

namespace qm::test {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST_F(HelloTest, EveryRoadLeadsToAGuestThatAnswers) {
  for (const char* road : {"ready", "blank", "spawn", "boot"}) {
    const Held lease = client().acquire("hello", road);
    EXPECT_EQ(lease.road, road);
    EXPECT_EQ(daemon().said(lease, "/bin/echo from inside"), "from inside\n");
    daemon().release(lease);
  }
}

TEST_F(HelloTest, ThePhasesOfARoadAreTold) {
  const json::value grant = client().ask("POST", "/v1/leases", 201, R"({"template":"hello","road":"spawn"})");
  for (const char* phase : {"spawn", "restore", "connect", "renew", "total"}) {
    EXPECT_GT(grant.at("phases_us").at(phase).as_int64(), 0) << phase;
  }
  const std::string path = "/v1/leases/" + std::string(grant.at("id").as_string());
  client().ask("DELETE", path, 204, "", std::string(grant.at("token").as_string()));
  const std::string metrics = client().answer("GET", "/metrics").body;
  EXPECT_THAT(metrics, HasSubstr(R"(road="spawn")"));
  EXPECT_THAT(metrics, HasSubstr(R"(phase="renew")"));
}

TEST_F(HelloTest, WhatAVmTookIsInTheMetricsOnceItIsGone) {
  daemon().release(client().acquire("hello", "spawn"));
  ASSERT_TRUE(eventually([&] {
    return client().answer("GET", "/metrics").body.contains(R"(quickmatch_vms_gone_total{slot_page="read"})");
  }));
  const std::string metrics = client().answer("GET", "/metrics").body;
  EXPECT_THAT(metrics, Not(HasSubstr(R"(slot_page="refused")")));
  for (const char* stretch : {"jail", "start", "load", "renew", "use", "end"})
    EXPECT_THAT(metrics, HasSubstr(fmt::format(R"(quickmatch_vm_cpu_seconds_total{{stretch="{}"}})", stretch)));
  EXPECT_THAT(metrics, HasSubstr(R"(quickmatch_vm_exits_total{kind="mmio_write"})"));
  EXPECT_THAT(metrics, HasSubstr("quickmatch_vm_private_bytes_total"));
}

TEST_F(HelloTest, NoTwoClonesShareRandomNumbersNameOrMachineId) {
  std::set<std::string> names;
  std::set<std::string> machineIds;
  std::set<std::string> randoms;
  for (std::size_t i = 0; i < kClones; ++i) {
    const Held lease = client().acquire("hello", "ready");
    names.insert(daemon().said(lease, "hostname"));
    machineIds.insert(daemon().said(lease, "cat /etc/machine-id"));
    randoms.insert(daemon().said(lease, "head -c 16 /dev/urandom | md5sum"));
    daemon().release(lease);
  }
  EXPECT_EQ(names.size(), 3U);
  EXPECT_EQ(machineIds.size(), 3U);
  EXPECT_EQ(randoms.size(), 3U);
}

TEST_F(HelloTest, AClonesClockIsTheHosts) {
  const Held lease = client().acquire("hello", "ready");
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  const std::int64_t inside = std::stoll(daemon().said(lease, "date +%s"));
  EXPECT_NEAR(static_cast<double>(inside), std::chrono::duration<double>(now).count(), 5.0);
  daemon().release(lease);
}

TEST_F(HelloTest, ClonesHaveTheSnapshotsMemoryAndABootedGuestHasNot) {
  const auto guestNonce = [](const char* road) {
    const Held lease = client().acquire("hello", road);
    const json::value reply = client().ask("GET", lease.path + "/ping", 200, "", lease.token);
    daemon().release(lease);
    return reply.at("guest_nonce");
  };
  const json::value clone = guestNonce("ready");
  EXPECT_EQ(guestNonce("spawn"), clone);
  EXPECT_NE(guestNonce("boot"), clone);
}

TEST_F(HelloTest, EachPingIsAFreshRoundTrip) {
  const Held lease = client().acquire("hello", "ready");
  const json::value first = client().ask("GET", lease.path + "/ping", 200, "", lease.token);
  const json::value second = client().ask("GET", lease.path + "/ping", 200, "", lease.token);
  EXPECT_NE(first.at("nonce"), second.at("nonce"));
  EXPECT_EQ(first.at("guest_nonce"), second.at("guest_nonce"));
  EXPECT_GT(first.at("round_trip_us").as_int64(), 0);
  daemon().release(lease);
}

TEST_F(HelloTest, AGuestWhoseHookFailsIsNeverHandedOut) {
  json::array hooks;
  hooks.emplace_back(json::array{"/bin/false"});
  json::object recipe = helloRecipe(0);
  recipe["hooks"] = json::object{{"after_restore", std::move(hooks)}};
  daemon().put("unrenewed", recipe);
  const HttpAnswer refused = client().answer("POST", "/v1/leases", R"({"template":"unrenewed","road":"boot"})");
  EXPECT_GE(refused.status, 400) << refused.body;
  EXPECT_THAT(refused.body, HasSubstr("renewing"));
  EXPECT_TRUE(eventually([] { return daemon().vmFolders().size() == kClones + kBlanks; })) << "its VM is gone";
  EXPECT_THAT(client().answer("GET", "/metrics").body,
              HasSubstr(R"(quickmatch_clone_failed_total{phase="renew",template="unrenewed"} 1)"));
  client().ask("DELETE", "/v1/templates/unrenewed", 204);
}

TEST_F(HelloTest, ACommandsStreamsAndEndComeBackApart) {
  const Held lease = client().acquire("hello", "ready");
  const json::value failed = daemon().exec(lease, {"/bin/sh", "-c", "echo out; echo err >&2; exit 7"});
  EXPECT_EQ(failed.at("exit_code"), 7);
  EXPECT_EQ(failed.at("stdout"), "out\n");
  EXPECT_EQ(failed.at("stderr"), "err\n");
  EXPECT_EQ(daemon().exec(lease, {"/bin/sh", "-c", "kill -9 $$"}).at("signal"), 9);
  EXPECT_EQ(daemon().exec(lease, {"/bin/sleep", "60"}, {{"timeout_ms", 300}}).at("timed_out"), true);
  daemon().release(lease);
}

TEST_F(HelloTest, ACommandHasItsInputEnvironmentAndFolder) {
  const Held lease = client().acquire("hello", "ready");
  const json::value bytes = daemon().exec(lease, {"/bin/cat"}, {{"stdin", {{"base64", "/wA="}}}});
  EXPECT_EQ(bytes.at("stdout").at("base64"), "/wA=");
  const json::value set =
      daemon().exec(lease, {"/bin/sh", "-c", "echo $COLOUR; pwd"}, {{"env", {{"COLOUR", "red"}}}, {"cwd", "/tmp"}});
  EXPECT_EQ(set.at("stdout"), "red\n/tmp\n");
  daemon().release(lease);
}

TEST_F(HelloTest, AProgramThatIsNotThereIsTheCallersToFix) {
  const Held lease = client().acquire("hello", "ready");
  const json::value problem = client().ask("POST", lease.path + "/exec", 422, R"({"argv":["/no/such"]})", lease.token);
  EXPECT_THAT(std::string(problem.at("cause").as_string()), HasSubstr("/no/such: No such file or directory"));
  daemon().release(lease);
}

}  // namespace
}  // namespace qm::test
