// What is left of a daemon after its end, and what the next one makes of it.
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>

#include <gmock/gmock.h>

#include "api/daemon/vm/vm_folder.h"
#include "tests/service/real_daemon.h"

namespace qm::test {
namespace {

using testing::HasSubstr;
using testing::Not;

std::string contents(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return std::move(text).str();
}

// All processes below this one that have not ended. Orphans stay below it: it is their subreaper (SetUpTestSuite).
std::set<pid_t> livingProcesses() {
  std::map<pid_t, pid_t> parents;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string pid = entry.path().filename();
    if (pid.find_first_not_of("0123456789") != std::string::npos) continue;
    // proc(5), /proc/pid/stat: number, name in brackets, state, parent.
    const std::string all = contents(entry.path() / "stat");
    std::istringstream fields(all.substr(std::min(all.rfind(')') + 1, all.size())));
    char state = 'X';
    pid_t parent = 0;
    fields >> state >> parent;
    if (state != 'Z' && state != 'X') parents[std::stoi(pid)] = parent;
  }
  std::set<pid_t> below;
  for (const auto& [pid, parent] : parents) {
    pid_t above = parent;
    while (above != ::getpid() && parents.contains(above)) above = parents.at(above);
    if (above == ::getpid()) below.insert(pid);
  }
  return below;
}

// One state folder for all tests; each finds a daemon that serves from its snapshot and leaves one that does.
class EndingTest : public testing::Test {
 protected:
  static constexpr std::size_t kClones = 2;
  static constexpr std::size_t kBlanks = 2;

  static void SetUpTestSuite() {
    ASSERT_EQ(::prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    processesBefore_ = livingProcesses();
    daemon_ = std::make_unique<RealDaemon>();
  }
  static void TearDownTestSuite() { daemon_.reset(); }
  void SetUp() override { serve(); }

  static RealDaemon& daemon() { return *daemon_; }
  static void serve() {
    daemon().put("hello", helloRecipe(kClones));
    ASSERT_TRUE(daemon().awaitReady("hello", kClones));
  }
  // What the daemon logged since `mark`, which is the length of an earlier log.
  static std::string logSince(std::size_t mark) { return daemon().log().substr(mark); }
  static bool answers(const char* road) {
    const Held lease = daemon().client().acquire("hello", road);
    const bool answered = daemon().said(lease, "echo alive") == "alive\n";
    daemon().release(lease);
    return answered && lease.road == road;
  }
  static void flipByte(const char* name, std::uint64_t offset) {
    for (const auto& entry : std::filesystem::recursive_directory_iterator(daemon().state() / "shelf/snapshots")) {
      if (entry.path().filename() != name) continue;
      std::filesystem::permissions(entry.path(), std::filesystem::perms::owner_all);
      const FileDescriptor file = openFile(entry.path(), OpenMode::readWrite).value();
      std::byte byte{};
      ASSERT_TRUE(readAt(file, offset, std::span(&byte, 1)).has_value());
      byte ^= std::byte{1};
      ASSERT_TRUE(writeAt(file, offset, std::span(&byte, 1)).has_value());
      return;
    }
    FAIL() << "no file named " << name;
  }
  // With a snapshot in which a byte was flipped between two daemons.
  void servesInSpiteOf(const char* name, std::uint64_t offset) {
    ASSERT_EQ(daemon().process().stop(SIGTERM), ProcessEnd{});
    flipByte(name, offset);
    const std::size_t mark = daemon().log().size();
    daemon().process().start();
    daemon().put("hello", helloRecipe(kClones));
    // No road is asked for: it falls back by itself while there is no snapshot, which takes seconds to make.
    const json::value grant = daemon().client().ask("POST", "/v1/leases", 201, R"({"template":"hello"})");
    const Held lease{.path = "/v1/leases/" + std::string(grant.at("id").as_string()),
                     .token = std::string(grant.at("token").as_string()),
                     .road = std::string(grant.at("road").as_string())};
    EXPECT_EQ(lease.road, "boot");
    EXPECT_EQ(daemon().said(lease, "echo alive"), "alive\n");
    daemon().release(lease);
    ASSERT_TRUE(daemon().awaitReady("hello", kClones));
    EXPECT_THAT(logSince(mark), HasSubstr("has changed since it was published"));
    EXPECT_TRUE(answers("ready"));
  }

  static inline std::set<pid_t> processesBefore_;

 private:
  static inline std::unique_ptr<RealDaemon> daemon_;
};

TEST_F(EndingTest, AfterSigtermNothingIsLeftButSnapshots) {
  ASSERT_EQ(daemon().process().stop(SIGTERM), ProcessEnd{});
  daemon().process().start();
  serve();
  const std::string mounts = contents("/proc/self/mountinfo");
  const Held lease = daemon().client().acquire("hello", "ready");
  EXPECT_EQ(daemon().said(lease, "echo still leased"), "still leased\n");
  EXPECT_EQ(daemon().process().stop(SIGTERM), ProcessEnd{});
  EXPECT_EQ(livingProcesses(), processesBefore_);
  EXPECT_EQ(contents("/proc/self/mountinfo"), mounts);
  EXPECT_TRUE(std::filesystem::is_empty(daemon().state() / "vms"));
  std::set<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(daemon().state())) left.insert(entry.path().filename());
  EXPECT_THAT(left, testing::ElementsAre("shelf", "vms"));
  daemon().process().start();
}

TEST_F(EndingTest, TheNextDaemonServesFromTheSnapshotThatItFinds) {
  ASSERT_EQ(daemon().process().stop(SIGTERM), ProcessEnd{});
  const std::size_t mark = daemon().log().size();
  daemon().process().start();
  serve();
  EXPECT_THAT(logSince(mark), Not(HasSubstr("step=booting")));
  EXPECT_TRUE(answers("ready"));
}

TEST_F(EndingTest, AfterSigkillItsVmsLiveOnAndTheNextDaemonEndsThemAndSaysSo) {
  // Those of the tests before are gone, and the blanks are there.
  ASSERT_TRUE(eventually([&] { return daemon().vmFolders().size() == kClones + kBlanks; }));
  ASSERT_EQ(daemon().process().stop(SIGKILL), (ProcessEnd{.signal = SIGKILL}));
  const auto folders = daemon().vmFolders();
  ASSERT_GE(folders.size(), kClones);
  std::vector<Process> processes;
  std::size_t running = 0;
  for (const std::filesystem::path& folder : folders) {
    auto process = findProcess({folder}).value();
    // A guest's vsock is there from its restore on. A blank has nobody left to give it a guest, and ends.
    const bool hasGuest = std::filesystem::exists(VmFolder{folder}.vsock());
    if (hasGuest) {
      ASSERT_TRUE(process) << folder;
      ++running;
    }
    if (process) processes.push_back(*std::move(process));
  }
  EXPECT_GE(running, kClones);
  const std::size_t mark = daemon().log().size();
  daemon().process().start();
  for (const Process& process : processes) {
    EXPECT_TRUE(process.waitForEnd(std::chrono::steady_clock::now() + kPatience));
  }
  EXPECT_THAT(logSince(mark), HasSubstr("daemon.left_over folders=" + std::to_string(folders.size())));
  for (const std::filesystem::path& folder : folders) EXPECT_FALSE(std::filesystem::exists(folder));
}

TEST_F(EndingTest, AFlippedByteInASnapshotsMemoryIsToldAndABootServes) {
  servesInSpiteOf("memory", 40'000);
}

TEST_F(EndingTest, AFlippedByteInASnapshotsStateIsToldAndABootServes) {
  servesInSpiteOf("snapshot.capnp", 100);
}

}  // namespace
}  // namespace qm::test
