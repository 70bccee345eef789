// The daemon and a VMM that was taken over and says what makes no sense: the daemon ends that VM, says why, and serves
// others.
#include <chrono>
#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/attack/deed_name.h"
#include "tests/service/real_daemon.h"

namespace qm::test {
namespace {

using testing::HasSubstr;

class DaemonMeets : public testing::TestWithParam<const char*> {
 protected:
  // Plain processes: what is said is tested here, not the jail.
  RunningDaemon daemon{{.daemon = QM_DAEMON, .vmm = QM_HOSTILE_VMM, .spawner = QM_SPAWNER}};
  Asking client{daemon.socket()};

  void put(const std::string& name, const std::string& kernel) {
    client.ask("PUT", "/v1/templates/" + name, 201, R"({"kernel":")" + daemon.kernel(kernel).string() + "\"}");
  }
  std::size_t openFiles() const {
    std::size_t count = 0;
    for (const auto& each : std::filesystem::directory_iterator("/proc/" + std::to_string(daemon.pid()) + "/fd")) {
      static_cast<void>(each);
      ++count;
    }
    return count;
  }
  std::string metrics() { return client.answer("GET", "/metrics").body; }
};

TEST_P(DaemonMeets, ItEndsThatVmCountsItAndServesOthers) {
  put("good", "vmlinux");
  put("hostile", "deed-" + std::string(GetParam()));
  const Held before = client.acquire("good", "boot");
  const std::size_t files = openFiles();
  for (int attempt = 0; attempt < 3; ++attempt) {
    const HttpAnswer refused = client.answer("POST", "/v1/leases", R"({"template":"hostile","road":"boot"})");
    EXPECT_GE(refused.status, 500) << refused.body;
    EXPECT_THAT(refused.body, HasSubstr("detail"));
    EXPECT_EQ(refused.body.find('\x1b'), std::string::npos);
  }
  EXPECT_THAT(metrics(), HasSubstr(R"(quickmatch_acquire_failed_total{remedy=)"));
  // Their ends are the teardown's, a moment later.
  const auto vms = [this] {
    std::size_t count = 0;
    for (const auto& each : std::filesystem::directory_iterator(daemon.state() / "vms"))
      count += each.is_directory() ? 1 : 0;
    return count;
  };
  EXPECT_TRUE(eventually([&] { return openFiles() <= files + 8; })) << openFiles() << " files, before " << files;
  client.ask("GET", before.path + "/ping", 200, {}, before.token);
  const Held after = client.acquire("good", "boot");
  client.ask("GET", after.path + "/ping", 200, {}, after.token);
  // Two leases, and the blanks that wait for a miss.
  EXPECT_TRUE(eventually([&] { return vms() <= 4; })) << vms();
}

INSTANTIATE_TEST_SUITE_P(Deeds, DaemonMeets,
                         testing::Values("answer-cut", "answer-garbage", "answer-zeros", "answer-too-long",
                                         "answer-empty", "answer-to-another", "answer-flood", "answer-with-files",
                                         "dies", "hangs-up", "agent-no-ok", "agent-endless-line", "agent-garbage-frame",
                                         "agent-long-frame", "agent-cut", "agent-dies"),
                         &deedName);

}  // namespace
}  // namespace qm::test
