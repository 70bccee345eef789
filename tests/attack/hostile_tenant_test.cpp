// A tenant who is root in a clone, with all that a real one has around it, and attacks its devices: the daemon and the
// other tenants notice nothing, and with the lease all of it is gone.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/attack/deed_name.h"
#include "tests/service/real_daemon.h"

namespace qm::test {
namespace {

using testing::HasSubstr;
using testing::Not;

// The program is its guest's first disk, in whole sectors.
void writeDisk(const std::filesystem::path& program, const std::filesystem::path& disk) {
  std::ifstream file(program, std::ios::binary);
  std::string bytes{std::istreambuf_iterator<char>(file), {}};
  bytes.resize((bytes.size() + 4095) / 4096 * 4096, '\0');
  std::ofstream(disk, std::ios::binary) << bytes;
}

class HostileTenant : public testing::TestWithParam<const char*> {
 protected:
  static void SetUpTestSuite() {
    folder_ = std::make_unique<TempFolder>();
    writeDisk(QM_HOSTILE_GUEST, folder_->path() / "program");
    // A jailed VMM is a user of its own.
    std::filesystem::permissions(folder_->path(), std::filesystem::perms{0755});
    daemon_ = std::make_unique<RealDaemon>(folder_->path());
    json::object recipe = helloRecipe(2);
    json::array images;
    images.emplace_back((folder_->path() / "program").native());
    recipe["images"] = std::move(images);
    recipe["net"] = "slot";
    daemon_->put("tenant", recipe);
  }
  static void TearDownTestSuite() {
    daemon_.reset();
    folder_.reset();
  }
  void SetUp() override { ASSERT_TRUE(daemon().awaitReady("tenant", 2)); }
  static RealDaemon& daemon() { return *daemon_; }
  // What the guests' consoles say, those that are there.
  static bool isSaid(const std::string& line) {
    for (const std::filesystem::path& folder : daemon().vmFolders()) {
      std::ifstream file(folder / "console.log");
      if (std::string{std::istreambuf_iterator<char>(file), {}}.contains(line)) return true;
    }
    return false;
  }

 private:
  static inline std::unique_ptr<TempFolder> folder_;
  static inline std::unique_ptr<RealDaemon> daemon_;
};

TEST_P(HostileTenant, IsNoticedByNobodyElse) {
  const std::string deed = GetParam();
  const Held hostile = daemon().client().acquire("tenant", "ready");
  const Held other = daemon().client().acquire("tenant", "ready");
  daemon().said(hostile, "cat /dev/vda >/program && chmod +x /program && (sleep 1; exec setsid /program " + deed +
                             ") </dev/null >/dev/null 2>&1 &");
  EXPECT_TRUE(eventually([&] { return isSaid("deed " + deed + " is done"); })) << daemon().log();
  EXPECT_EQ(daemon().said(other, "echo here"), "here\n");
  daemon().client().ask("GET", other.path + "/ping", 200, {}, other.token);
  daemon().release(hostile);
  EXPECT_TRUE(eventually([&] { return !isSaid("deed " + deed); })) << "its folder is left";
  daemon().release(other);
  const std::string metrics = daemon().client().answer("GET", "/metrics").body;
  for (const char* how : {"crashed", "refused_call", "out_of_memory"})
    EXPECT_THAT(metrics,
                Not(testing::ContainsRegex("quickmatch_vm_ended_total.how=." + std::string(how) + "[^\n]* [1-9]")));
}

INSTANTIATE_TEST_SUITE_P(Deeds, HostileTenant,
                         testing::Values("net-shapes", "net-overlaps", "net-reset-in-flight", "net-fails-without-pause",
                                         "vsock-others-addresses", "vsock-to-nobody", "vsock-bad-buffers",
                                         "vsock-headers-cut", "vsock-requests-without-end"),
                         &deedName);

}  // namespace
}  // namespace qm::test
