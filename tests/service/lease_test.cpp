// A tenant's right to a clone: its token, its time, its end.
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>

#include "api/daemon/vm/vm_folder.h"
#include "tests/service/hello_test.h"

namespace qm::test {
namespace {

// A lease and the process of its VM, which is the one that came with it: pool and blanks were full before.
struct Watched {
  Held lease;
  std::filesystem::path folder;
  Process process;
};

using Folders = std::vector<std::filesystem::path>;

// The VMs' folders, once nothing is being made.
Folders settledFolders(const RealDaemon& daemon, std::size_t vms) {
  EXPECT_TRUE(eventually([&] { return daemon.vmFolders().size() == vms; }));
  return daemon.vmFolders();
}

std::optional<Watched> acquireWatched(RealDaemon& daemon, const Folders& before, const std::string& ttlSeconds) {
  const json::value grant = daemon.client().ask(
      "POST", "/v1/leases", 201, R"({"template":"hello","road":"spawn","ttl_seconds":)" + ttlSeconds + "}");
  const Held lease{.path = "/v1/leases/" + std::string(grant.at("id").as_string()),
                   .token = std::string(grant.at("token").as_string()),
                   .road = "spawn"};
  for (const auto& folder : daemon.vmFolders()) {
    if (std::ranges::find(before, folder) != before.end()) continue;
    auto process = findProcess({folder});
    if (!process.has_value() || !*process) break;
    return Watched{.lease = lease, .folder = folder, .process = **std::move(process)};
  }
  ADD_FAILURE() << "no VM came with the lease";
  return std::nullopt;
}

bool hasEnded(const Watched& watched) {
  return watched.process.waitForEnd(std::chrono::steady_clock::now()) && !std::filesystem::exists(watched.folder);
}

std::string codeOf(const json::value& problem) {
  return std::string(problem.at("code").as_string());
}

TEST_F(HelloTest, OnlyItsTokenOpensALease) {
  const Held lease = client().acquire("hello", "ready");
  for (const char* path : {"", "/ping", "/memory"}) {
    EXPECT_EQ(codeOf(client().ask("GET", lease.path + path, 401)), "token-missing");
    EXPECT_EQ(codeOf(client().ask("GET", lease.path + path, 403, "", "guessed")), "token-wrong");
  }
  EXPECT_EQ(codeOf(client().ask("DELETE", lease.path, 403, "", lease.token + "0")), "token-wrong");
  EXPECT_EQ(codeOf(client().ask("GET", "/v1/leases/lease-0/ping", 404, "", lease.token)), "no-such-lease");
  client().ask("GET", lease.path + "/ping", 200, "", lease.token);
  daemon().release(lease);
}

TEST_F(HelloTest, RenewalMovesTheEnd) {
  const Held lease = client().acquire("hello", "ready");
  const json::value before = client().ask("GET", lease.path, 200, "", lease.token);
  const json::value after = client().ask("POST", lease.path + "/renew", 200, R"({"ttl_seconds":600})", lease.token);
  EXPECT_GT(after.at("expires_at").as_string(), before.at("expires_at").as_string());
  daemon().release(lease);
}

TEST_F(HelloTest, AReleasedVmIsDestroyedAndReleasingAgainIsFree) {
  const auto held = acquireWatched(daemon(), settledFolders(daemon(), kClones + kBlanks), "60");
  ASSERT_TRUE(held);
  EXPECT_FALSE(hasEnded(*held));
  daemon().release(held->lease);
  EXPECT_TRUE(eventually([&] { return hasEnded(*held); }));  // killed by then; its remains go in their time
  daemon().release(held->lease);
  EXPECT_EQ(codeOf(client().ask("GET", held->lease.path + "/ping", 410, "", held->lease.token)), "lease-ended");
}

TEST_F(HelloTest, AVmEndsWithItsLeasesTime) {
  const auto held = acquireWatched(daemon(), settledFolders(daemon(), kClones + kBlanks), "2");
  ASSERT_TRUE(held);
  EXPECT_TRUE(eventually([&] { return hasEnded(*held); }));
  EXPECT_EQ(codeOf(client().ask("GET", held->lease.path, 410, "", held->lease.token)), "lease-ended");
}

TEST_F(HelloTest, AClonesMemoryIsMostlyShared) {
  const Held lease = client().acquire("hello", "ready");
  const json::value use = client().ask("GET", lease.path + "/memory", 200, "", lease.token);
  EXPECT_GT(use.at("private_bytes").as_int64(), 0);
  EXPECT_LT(use.at("private_bytes").as_int64(), 16 << 20) << "of the guest's 64 MiB";
  daemon().release(lease);
}

// Pages of all sealed files of the daemon: what templates' memory takes.
std::uint64_t sealedPages(pid_t daemon) {
  std::uint64_t blocks = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/" + std::to_string(daemon) + "/fd")) {
    std::error_code gone;
    if (!std::filesystem::read_symlink(entry.path(), gone).native().contains("memfd:quickmatch-snapshot")) continue;
    struct stat status{};
    if (::stat(entry.path().c_str(), &status) == 0) blocks += static_cast<std::uint64_t>(status.st_blocks);
  }
  return blocks / 8;
}

TEST_F(HelloTest, WhatACloneWritesIsNoPageOfItsTemplate) {
  const std::uint64_t before = sealedPages(daemon().process().pid());
  ASSERT_GT(before, 0U);
  const Held lease = client().acquire("hello", "ready");
  EXPECT_EQ(daemon().exec(lease, {"dd", "if=/dev/zero", "of=/dev/null", "bs=24M", "count=1"}).at("exit_code"), 0);
  EXPECT_EQ(sealedPages(daemon().process().pid()), before);
  daemon().release(lease);
}

struct Refused {
  const char* method;
  const char* target;
  const char* body;
  int status;
  const char* code;
};

TEST_F(HelloTest, WhatIsRefusedIsRefusedWithCodeCauseAndRemedy) {
  constexpr Refused kRefused[] = {
      {"POST", "/v1/leases", "{", 400, "invalid-request"},
      {"POST", "/v1/leases", "[]", 400, "invalid-request"},
      {"POST", "/v1/leases", "{}", 400, "invalid-request"},
      {"POST", "/v1/leases", R"({"template":"hello","colour":"red"})", 400, "invalid-request"},
      {"POST", "/v1/leases", R"({"template":"hello","road":"scenic"})", 400, "invalid-request"},
      {"POST", "/v1/leases", R"({"template":"hello","ttl_seconds":0})", 400, "invalid-request"},
      {"POST", "/v1/leases", R"({"template":"hello","ttl_seconds":-1})", 400, "invalid-request"},
      {"POST", "/v1/leases", R"({"template":"hello","ttl_seconds":999999999})", 400, "invalid-request"},
      {"POST", "/v1/leases", R"({"template":"hello","ttl_seconds":172800})", 422, "not-accepted"},
      {"POST", "/v1/leases", R"({"template":"../hello"})", 404, "no-such-template"},
      {"PUT", "/v1/templates/Hello", R"({"kernel":"/k"})", 400, "invalid-request"},
      {"PUT", "/v1/templates/other", R"({"kernel":"relative"})", 400, "invalid-request"},
      {"PUT", "/v1/templates/other", R"({"kernel":"/k","vcpus":9})", 400, "invalid-request"},
      {"PUT", "/v1/templates/other", R"({"kernel":"/k","warm_up":[[]]})", 400, "invalid-request"},
      {"GET", "/v1/templates/other", "", 404, "no-such-template"},
      {"GET", "/v1/elsewhere", "", 404, "no-such-path"},
      {"PATCH", "/v1/leases", "{}", 405, "method-not-allowed"},
  };
  for (const Refused& refused : kRefused) {
    SCOPED_TRACE(std::string(refused.method) + " " + refused.target + " " + refused.body);
    const HttpAnswer answer = client().answer(refused.method, refused.target, refused.body);
    EXPECT_EQ(answer.status, refused.status) << answer.body;
    EXPECT_EQ(answer.contentType, "application/problem+json");
    const json::value problem = json::parse(answer.body);
    EXPECT_EQ(codeOf(problem), refused.code);
    for (const char* part : {"title", "detail", "cause", "remedy"}) EXPECT_FALSE(problem.at(part).as_string().empty());
  }
}

TEST_F(HelloTest, AKernelThatIsNoneIsToldInTheVmmsWords) {
  json::object recipe = helloRecipe(0);
  recipe["kernel"] = imageProduct("hello.cpio").native();
  daemon().put("wrong", recipe);
  const json::value problem = client().ask("POST", "/v1/leases", 422, R"({"template":"wrong"})");
  EXPECT_EQ(codeOf(problem), "not-accepted");
  EXPECT_NE(problem.at("cause").as_string().find("neither an ELF file nor a bzImage"), json::string::npos)
      << json::serialize(problem);
  client().ask("DELETE", "/v1/templates/wrong", 204);
}

}  // namespace
}  // namespace qm::test
