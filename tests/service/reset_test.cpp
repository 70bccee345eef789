// A tenant's VM is reset for the next: nothing that the former one did is left, in the guest or in the VMM.
#include <chrono>
#include <optional>
#include <string>

#include <fmt/ranges.h>
#include <gmock/gmock.h>

#include "api/daemon/vm/vm_folder.h"
#include "pool/random/random_hex.h"
#include "tests/service/process_search.h"
#include "tests/service/real_daemon.h"

namespace qm::test {
namespace {

// Eight random bytes as 16 digits. A tenant's text is made of many in a row, so that each piece of 31 bytes has one.
constexpr std::size_t kWordBytes = 8;

class ResetServiceTest : public testing::Test {
 protected:
  ResetServiceTest() {
    json::object recipe = helloRecipe(1);
    recipe["reuse"] = "reset";
    daemon_.put("hello", recipe);
    EXPECT_TRUE(daemon_.awaitReady("hello", 1));
  }

  // A tenant whose VM's process is known: the one that came with it.
  Held tenant() {
    const auto before = daemon_.vmFolders();
    const Held lease = daemon_.client().acquire("hello", "spawn");
    for (const auto& folder : daemon_.vmFolders()) {
      if (std::ranges::find(before, folder) == before.end()) folder_ = folder;
    }
    process_ = findProcess({folder_}).value();
    EXPECT_TRUE(process_.has_value());
    return lease;
  }
  bool isAlive() const { return !process_->waitForEnd(std::chrono::steady_clock::now()); }
  pid_t pid() const { return process_->pid(); }
  std::string firstPlaces(const std::string& word) const {
    std::vector<std::string> places = placesOf(word, pid());
    const std::size_t all = places.size();
    places.resize(std::min<std::size_t>(all, 20));
    return all == 0 ? "" : fmt::format("{} places:\n{}", all, fmt::join(places, "\n"));
  }
  // All ready clones, the reset one among them.
  std::vector<Held> acquireAll(std::size_t count) {
    std::vector<Held> leases;
    for (std::size_t i = 0; i < count; ++i) leases.push_back(daemon_.client().acquire("hello", "ready"));
    return leases;
  }

  RealDaemon daemon_;
  std::filesystem::path folder_;
  std::optional<Process> process_;
};

// Files in memory, a process, its environment, the name, the console, standard input, output and error.
std::string tenantsWork(const std::string& word) {
  return "p=" + word +
         "; for i in 1 2 3 4 5 6; do p=$p$p; done; hostname $(echo $p | head -c 60); "
         "P=$p sleep 1000 </dev/null >/dev/null 2>&1 & "
         "echo $p >/tmp/one; for i in 1 2 3 4 5 6 7 8 9 10; do cat /tmp/one /tmp/one >/tmp/two; mv /tmp/two /tmp/one; "
         "done; "
         "i=0; while [ $i -lt 18 ]; do cat /tmp/one >/tmp/fill$i || exit 1; i=$((i+1)); done; "
         "for i in 1 2 3; do echo $p >/dev/console; done; head -c 200000 /tmp/one >&2; head -c 200000 /tmp/one";
}

TEST_F(ResetServiceTest, NoByteOfTheFormerTenantIsLeft) {
  const std::string word = pool::randomHex(kWordBytes);
  const Held lease = tenant();
  std::string input;
  while (input.size() < 100'000) input += word;
  const json::value ran =
      daemon_.exec(lease, {"/bin/sh", "-c", "cat >/tmp/input; " + tenantsWork(word)}, {{"stdin", input}});
  ASSERT_EQ(ran.at("exit_code"), 0) << json::serialize(ran).substr(0, 1000);
  EXPECT_EQ(ran.at("stdout").as_string().size(), 200'000U);
  ASSERT_GT(placesOf(word, pid()).size(), 1'000'000U) << "the search finds nothing, or the tenant wrote nothing";

  daemon_.release(lease);
  ASSERT_TRUE(daemon_.awaitReady("hello", 2)) << daemon_.log();
  ASSERT_TRUE(isAlive()) << "it was destroyed, not reset: " << daemon_.log();
  EXPECT_EQ(firstPlaces(word), "");
  const std::vector<std::byte> console = readWholeFile(folder_ / "console.log", 1U << 24U).value();
  const std::string said(reinterpret_cast<const char*>(console.data()), console.size());  // bytes, to look for text in
  EXPECT_THAT(said, testing::Not(testing::HasSubstr(word)));
  for (const Held& next : acquireAll(2)) {
    EXPECT_THAT(daemon_.said(next, "hostname; ls /tmp; ps; dmesg"), testing::Not(testing::HasSubstr(word)));
    daemon_.release(next);
  }
}

TEST_F(ResetServiceTest, TheNextTenantIsSomebodyElseInTheSameProcess) {
  const std::string asks = "hostname; cat /etc/machine-id; head -c 16 /dev/urandom | od -x";
  const Held first = tenant();
  const std::string before = daemon_.said(first, asks);
  daemon_.release(first);
  ASSERT_TRUE(daemon_.awaitReady("hello", 2)) << daemon_.log();
  ASSERT_TRUE(isAlive());
  for (const Held& next : acquireAll(2)) {
    EXPECT_NE(daemon_.said(next, asks), before);
    daemon_.release(next);
  }
}

TEST_F(ResetServiceTest, ManyTenantsInTurnFindItAsTheFirstDid) {
  constexpr int kTenants = 8;
  const std::string looks = "ls /tmp | wc -l; ps | grep -c '[s]leep'; ";
  const std::string leaves = "echo x >/tmp/mine; sleep 100 </dev/null >/dev/null 2>&1 &";
  std::string first;
  for (int i = 0; i < kTenants; ++i) {
    const Held lease = daemon_.client().acquire("hello", "ready");
    const std::string found = daemon_.said(lease, looks + leaves);
    if (i == 0) first = found;
    EXPECT_EQ(found, first) << i;
    daemon_.release(lease);
  }
}

TEST_F(ResetServiceTest, ATenantThatEndsItsVmIsNotReset) {
  const Held lease = tenant();
  daemon_.exec(lease, {"/bin/sh", "-c", "(sleep 0.2; reboot -f) >/dev/null 2>&1 &"});
  ASSERT_TRUE(eventually([this] { return !isAlive(); }));
  daemon_.release(lease);
  EXPECT_TRUE(eventually([this] { return !std::filesystem::exists(folder_); }));
  EXPECT_TRUE(eventually([this] {
    const HttpAnswer metrics = daemon_.client().answer("GET", "/metrics");
    return metrics.body.contains("quickmatch_reset_failed_total{phase=\"reset\",template=\"hello\"} 1");
  }));
}

}  // namespace
}  // namespace qm::test
