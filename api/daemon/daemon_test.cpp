// quickmatchd as a program, over a VMM without a guest (vm/testing/fake_vmm.cpp).
#include <signal.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <functional>
#include <sstream>
#include <thread>

#include <boost/json/parse.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/daemon/testing/asking.h"
#include "api/daemon/testing/running_daemon.h"
#include "api/daemon/vm/vm_folder.h"
#include "vmm/os/process.h"

namespace qm {
namespace {

namespace json = boost::json;
using namespace std::literals;

std::chrono::steady_clock::time_point soon() {
  return std::chrono::steady_clock::now() + 10s;
}

class DaemonTest : public testing::Test {
 protected:
  static void eventually(const std::function<bool()>& condition) {
    const auto deadline = soon();
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::sleep_for(5ms);
    ASSERT_TRUE(condition());
  }

  json::value ask(std::string_view method, std::string target, std::uint16_t status, std::string body = {},
                  const std::string& token = {}) {
    return client.ask(method, std::move(target), status, std::move(body), token);
  }
  void putTemplate(const char* kernel, int poolSize) {
    const std::string path = daemon.kernel(kernel);
    ask("PUT", "/v1/templates/hello", 201,
        R"({"kernel":")" + path + R"(","pool_size":)" + std::to_string(poolSize) + "}");
  }
  void awaitState(const char* name) {
    eventually([&] { return ask("GET", "/v1/templates/hello", 200).at("status").at("state") == name; });
  }
  std::vector<pid_t> vmProcesses() const {
    std::vector<pid_t> pids;
    for (const auto& entry : std::filesystem::directory_iterator(state / "vms")) {
      const auto process = findProcess({entry.path()});
      if (process.has_value() && *process) pids.push_back((*process)->pid());
    }
    return pids;
  }

  test::RunningDaemon daemon{{.daemon = QM_DAEMON, .vmm = QM_FAKE_VMM, .spawner = QM_SPAWNER}};
  std::filesystem::path state = daemon.state();
  test::Asking client{daemon.socket()};
};

TEST_F(DaemonTest, ATemplateIsBuiltItsClonesAnswerAndEndWithTheirLeases) {
  putTemplate("vmlinux", 2);
  awaitState("ready");
  const json::value grant = ask("POST", "/v1/leases", 201, R"({"template":"hello","wait_ms":9000})");
  EXPECT_EQ(grant.at("road"), "ready");
  const std::string lease = "/v1/leases/" + std::string(grant.at("id").as_string());
  const std::string token(grant.at("token").as_string());
  EXPECT_EQ(ask("POST", lease + "/exec", 200, R"({"argv":["/bin/echo","from","inside"]})", token).at("stdout"),
            "/bin/echo from inside\n");
  EXPECT_EQ(ask("POST", lease + "/exec", 200, R"({"argv":["/bin/cat"],"stdin":{"base64":"/w=="}})", token)
                .at("stdout")
                .at("base64"),
            "/w==");
  EXPECT_GT(ask("GET", lease + "/memory", 200, "", token).at("private_bytes").as_int64(), 0);
  ask("DELETE", lease, 204, "", token);
  ask("GET", lease + "/ping", 410, "", token);
}

TEST_F(DaemonTest, EveryRoadCanBeTaken) {
  putTemplate("vmlinux", 1);
  awaitState("ready");
  for (const char* road : {"ready", "spawn", "blank", "boot"}) EXPECT_EQ(client.acquire("hello", road).road, road);
}

// Each would take up to a second to find out by itself.
TEST_F(DaemonTest, EveryVmIsToldItsHypervisorByName) {
  putTemplate("vmlinux", 1);
  awaitState("ready");
  EXPECT_EQ(ask("GET", "/healthz", 200).at("hypervisor"), "kvm");
  const std::vector<pid_t> pids = vmProcesses();
  ASSERT_FALSE(pids.empty());
  for (const pid_t pid : pids) {
    const std::string words = readKernelFile("/proc/" + std::to_string(pid) + "/cmdline").value();
    EXPECT_NE(words.find("--hypervisor\0kvm\0"s), std::string::npos) << pid;
  }
}

TEST_F(DaemonTest, ABootThatFailsIsToldWithItsCause) {
  putTemplate("bad-kernel", 1);
  awaitState("failed");
  const json::value problem = ask("POST", "/v1/leases", 422, R"({"template":"hello"})");
  EXPECT_NE(problem.at("cause").as_string().find("The kernel file is no kernel."), json::string::npos);
}

TEST_F(DaemonTest, AfterSigtermNothingIsLeftButSnapshots) {
  putTemplate("vmlinux", 2);
  awaitState("ready");
  ask("POST", "/v1/leases", 201, R"({"template":"hello","wait_ms":9000})");
  const std::vector<pid_t> pids = vmProcesses();
  EXPECT_FALSE(pids.empty());
  EXPECT_EQ(daemon.stop(SIGTERM), (ProcessEnd{.code = 0}));
  for (const pid_t pid : pids) EXPECT_FALSE(Process::find(pid).has_value()) << pid;
  EXPECT_TRUE(std::filesystem::is_empty(state / "vms"));
  EXPECT_FALSE(std::filesystem::exists(state / "api.sock"));
}

TEST_F(DaemonTest, AfterSigkillItsVmsLiveOnAndTheNextDaemonEndsThem) {
  putTemplate("vmlinux", 2);
  awaitState("ready");
  eventually([&] { return ask("GET", "/v1/pools", 200).at("pools").at(0).at("ready") == 2; });
  EXPECT_EQ(daemon.stop(SIGKILL), (ProcessEnd{.signal = SIGKILL}));
  const std::vector<pid_t> pids = vmProcesses();
  EXPECT_GE(pids.size(), 2U);
  daemon.start();
  for (const pid_t pid : pids) eventually([&] { return !Process::find(pid).has_value(); });
  EXPECT_TRUE(ask("GET", "/v1/templates", 200).at("templates").as_array().empty());
}

// The guest's agent fills the memory of the process that it is in.
TEST_F(DaemonTest, AVmThatNeededMoreMemoryThanItsLimitIsToldApartEverywhere) {
  const auto log = [this] {
    std::stringstream text;
    text << std::ifstream(daemon.folder() / "daemon.log").rdbuf();
    return text.str();
  };
  if (!log().contains("daemon.cgroups") || log().contains("missing=")) GTEST_SKIP() << "no control groups: " << log();
  const std::string why = "it needed more than its limit of 32 MiB: raise limits.vmm_memory_mib of template hello";
  ask("PUT", "/v1/templates/hello", 201,
      R"({"kernel":")" + daemon.kernel("vmlinux").string() +
          R"(","pool_size":1,"memory_mib":16,"limits":{"vmm_memory_mib":16}})");
  awaitState("ready");
  const test::Held lease = client.acquire("hello", "spawn");
  const auto failed = [&](const char* method, const std::string& path, const char* body) {
    return std::string(ask(method, lease.path + path, 502, body, lease.token).at("cause").as_string());
  };
  EXPECT_THAT(failed("POST", "/exec", R"({"argv":["fill"]})"), testing::HasSubstr(why));
  EXPECT_THAT(failed("POST", "/exec", R"({"argv":["echo"]})"), testing::HasSubstr(why));
  EXPECT_THAT(failed("GET", "/ping", ""), testing::HasSubstr(why));
  ask("DELETE", lease.path, 204, "", lease.token);
  EXPECT_THAT(std::string(ask("POST", "/v1/invocations", 502, R"({"template":"hello","exec":{"argv":["fill"]}})")
                              .at("cause")
                              .as_string()),
              testing::HasSubstr(why));
  const auto counted = [this] {
    return client.answer("GET", "/metrics").body.contains("quickmatch_vm_ended_total{how=\"out_of_memory\"} 2");
  };
  eventually(counted);
  EXPECT_THAT(log(), testing::HasSubstr("how=out_of_memory"));
}

// Whoever waits for it, a supervisor or ./dev up, would wait for ever.
TEST_F(DaemonTest, WithoutItsSpawnerItEndsAndSaysSo) {
  std::ifstream children("/proc/" + std::to_string(daemon.pid()) + "/task/" + std::to_string(daemon.pid()) +
                         "/children");
  pid_t spawner = 0;
  ASSERT_TRUE(children >> spawner);
  ASSERT_EQ(::kill(spawner, SIGKILL), 0);
  EXPECT_EQ(daemon.awaitEnd().code, 1);
  std::stringstream log;
  log << std::ifstream(daemon.folder() / "daemon.log").rdbuf();
  EXPECT_THAT(log.str(), testing::HasSubstr("the spawner has ended, and without it no VM can be started"));
}

TEST_F(DaemonTest, TwoDaemonsDoNotShareAStateFolder) {
  const Process second = Process::start(daemon.plan("second.log")).value();
  EXPECT_EQ(second.reap(), (ProcessEnd{.code = 1}));
}

}  // namespace
}  // namespace qm
