// quickmatchd with real, jailed guests of the image `hello`.
#include <signal.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <set>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "api/daemon/testing/asking.h"
#include "api/daemon/testing/running_daemon.h"

namespace qm {
namespace {

namespace json = boost::json;

// The cache that holds what the project built for guests.
std::filesystem::path products() {
  const char* cache = std::getenv("XDG_CACHE_HOME");
  const char* home = std::getenv("HOME");
  const std::filesystem::path base =
      cache != nullptr ? std::filesystem::path(cache) : std::filesystem::path(home != nullptr ? home : "/") / ".cache";
  return base / "quickmatch";
}

class RoadTest : public testing::Test {
 protected:
  void SetUp() override {
    client.ask("PUT", "/v1/templates/hello", 201,
               R"({"kernel":")" + (products() / "guest-kernel/current/vmlinux").string() + R"(","initrd":")" +
                   (products() / "images/current/hello.cpio").string() + R"(","pool_size":2})");
    await(2);
  }
  void await(int ready) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(2);
    while (std::chrono::steady_clock::now() < deadline) {
      const json::value pool = client.ask("GET", "/v1/pools", 200).at("pools").at(0);
      ASSERT_NE(pool.at("status").at("state"), "failed") << pool.at("status").at("detail");
      if (pool.at("ready").as_int64() >= ready) return;
      std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    FAIL() << "no clone became ready";
  }
  std::string said(const test::Held& lease, const std::string& script) {
    const json::value ran = client.exec(lease, R"({"argv":["/bin/sh","-c",")" + script + R"("],"timeout_ms":60000})");
    EXPECT_EQ(ran.at("exit_code"), 0) << ran.at("stderr");
    return std::string(ran.at("stdout").as_string());
  }

  test::RunningDaemon daemon{{.daemon = QM_DAEMON,
                              .vmm = QM_VMM,
                              .spawner = QM_SPAWNER,
                              .options = {"--jail", "namespaces", "--hypervisor", "auto", "--folder", products()}}};
  test::Asking client{daemon.socket()};
};

TEST_F(RoadTest, EveryRoadLeadsToAGuestOfItsOwnThatAnswers) {
  std::set<std::string> hostnames;
  std::set<std::string> machineIds;
  std::set<std::string> randoms;
  for (const char* road : {"ready", "blank", "spawn", "boot"}) {
    const test::Held lease = client.acquire("hello", road);
    EXPECT_EQ(lease.road, road);
    EXPECT_EQ(said(lease, "/bin/echo from inside"), "from inside\n");
    hostnames.insert(said(lease, "hostname"));
    machineIds.insert(said(lease, "cat /etc/machine-id"));
    randoms.insert(said(lease, "head -c 16 /dev/urandom | md5sum"));
    EXPECT_EQ(client.ask("GET", lease.path + "/ping", 200, "", lease.token).at("nonce").as_string().size(), 16U);
    client.ask("DELETE", lease.path, 204, "", lease.token);
  }
  EXPECT_EQ(hostnames.size(), 4U);
  EXPECT_EQ(machineIds.size(), 4U);
  EXPECT_EQ(randoms.size(), 4U);
}

TEST_F(RoadTest, ClonesHaveTheSnapshotsMemoryAndABootedGuestHasNot) {
  const auto guestNonce = [this](const char* road) {
    const test::Held lease = client.acquire("hello", road);
    return client.ask("GET", lease.path + "/ping", 200, "", lease.token).at("guest_nonce");
  };
  const json::value clone = guestNonce("ready");
  EXPECT_EQ(guestNonce("spawn"), clone);
  EXPECT_NE(guestNonce("boot"), clone);
}

TEST_F(RoadTest, ASnapshotThatWasDamagedOnDiskIsMadeAnewByTheNextDaemon) {
  EXPECT_EQ(daemon.stop(SIGTERM), (ProcessEnd{.code = 0}));
  EXPECT_TRUE(std::filesystem::is_empty(daemon.state() / "vms"));
  for (const auto& entry : std::filesystem::recursive_directory_iterator(daemon.state() / "shelf/snapshots")) {
    if (entry.path().filename() != "memory") continue;
    std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
    const FileDescriptor file = openFile(entry.path(), OpenMode::readWrite).value();
    const std::byte flipped{0xff};
    ASSERT_TRUE(writeAt(file, 4096, std::span(&flipped, 1)).has_value());
  }
  daemon.start();
  SetUp();
  EXPECT_EQ(said(client.acquire("hello", "ready"), "echo again"), "again\n");
}

}  // namespace
}  // namespace qm
