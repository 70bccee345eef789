// Settings as values, and groups on whatever hierarchies this host has; where it has none, or no rights to them, those
// tests are skipped and say why.
#include "vmm/cgroup/cgroup.h"

#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <functional>
#include <optional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/cgroup/cgroup_file.h"
#include "vmm/cgroup/cgroup_stock.h"
#include "vmm/cgroup/memory_shortage.h"
#include "vmm/os/copy.h"

namespace qm {
namespace {

TEST(Controllers, EachVersionIsToldInItsOwnWords) {
  const CgroupLimits limits{.memoryMib = 2, .processes = 3, .cpuPercent = 150};
  EXPECT_EQ(settingOf(Controller::memory, CgroupVersion::v1, limits),
            (CgroupSetting{.file = "memory.limit_in_bytes", .value = "2097152"}));
  EXPECT_EQ(settingOf(Controller::memory, CgroupVersion::v2, limits),
            (CgroupSetting{.file = "memory.max", .value = "2097152"}));
  EXPECT_EQ(settingOf(Controller::pids, CgroupVersion::v1, limits), (CgroupSetting{.file = "pids.max", .value = "3"}));
  EXPECT_EQ(settingOf(Controller::cpu, CgroupVersion::v1, limits),
            (CgroupSetting{.file = "cpu.cfs_quota_us", .value = "150000"}));
  EXPECT_EQ(settingOf(Controller::cpu, CgroupVersion::v2, limits),
            (CgroupSetting{.file = "cpu.max", .value = "150000 100000"}));
}

TEST(Controllers, NoLimitIsAWordOfItsOwn) {
  EXPECT_EQ(settingOf(Controller::memory, CgroupVersion::v1, {}).value, "-1");
  EXPECT_EQ(settingOf(Controller::memory, CgroupVersion::v2, {}).value, "max");
  EXPECT_EQ(settingOf(Controller::pids, CgroupVersion::v2, {}).value, "max");
  EXPECT_EQ(settingOf(Controller::cpu, CgroupVersion::v1, {}).value, "-1");
  EXPECT_EQ(settingOf(Controller::cpu, CgroupVersion::v2, {}).value, "max 100000");
}

TEST(MemoryShortage, AnEventIsFoundByItsWholeName) {
  constexpr std::string_view kEvents = "low 0\nhigh 1\nmax 22\noom 3\noom_kill 4\noom_group_kill 5\n";
  EXPECT_EQ(eventIn(kEvents, "oom"), 3U);
  EXPECT_EQ(eventIn(kEvents, "oom_kill"), 4U);
  EXPECT_EQ(eventIn(kEvents, "oom_group_kill"), 5U);
  EXPECT_EQ(eventIn(kEvents, "kill"), 0U);
  EXPECT_EQ(eventIn("oom_kill_disable 7\nunder_oom 0\n", "oom_kill"), 0U) << "a kernel that does not count them";
  EXPECT_EQ(eventIn("oom_kill", "oom_kill"), 0U);
  EXPECT_EQ(eventIn("oom_kill x", "oom_kill"), 0U);
}

TEST(CgroupGround, AHostWithoutHierarchiesLacksEveryControllerAndSaysWhatToDo) {
  const CgroupGround ground = CgroupGround::on({});
  ASSERT_EQ(ground.lacks().size(), kControllers.size());
  for (const CgroupGround::Lack& lack : ground.lacks()) EXPECT_TRUE(lack.sentence.ends_with('.')) << lack.sentence;
  EXPECT_TRUE(ground.controllers().empty());
}

// A copy of this process that is in the group.
Result<Process> runIn(const Cgroup& group, const std::function<Status()>& work) {
  const FileDescriptor folder = group.openForClone().value();
  return runInCopy(
      {},
      [&](FileDescriptor&) -> Status {
        TRY(group.enter());
        return work();
      },
      std::chrono::seconds(10), folder.isOpen() ? &folder : nullptr);
}

class CgroupTest : public testing::Test {
 protected:
  void SetUp() override {
    if (!stock->lacks().empty()) GTEST_SKIP() << stock->lacks();
  }
  // The folders of groups that this process has made, in all hierarchies.
  static std::vector<std::filesystem::path> folders() {
    std::vector<std::filesystem::path> found;
    for (const Hierarchy& each : hierarchiesFrom(readKernelFile("/proc/self/mountinfo", 1U << 20U).value(),
                                                 readKernelFile("/proc/self/cgroup").value())) {
      for (const auto& entry : std::filesystem::directory_iterator(each.own)) {
        if (entry.path().filename().native().starts_with("quickmatch-" + std::to_string(::getpid()) + "-"))
          found.push_back(entry.path());
      }
    }
    return found;
  }
  static std::string valueIn(const char* version1, const char* version2) {
    for (const std::filesystem::path& folder : folders()) {
      for (const char* file : {version1, version2}) {
        if (std::filesystem::exists(folder / file)) return readKernelFile(folder / file).value();
      }
    }
    return "there is no such file";
  }
  std::optional<CgroupStock> stock = CgroupStock::create(CgroupUse::wherePossible).value();
};

TEST_F(CgroupTest, AGroupHasTheLimitsThatItIsTold) {
  Cgroup group = stock->take({.memoryMib = 64, .processes = 5, .cpuPercent = 50}).value();
  EXPECT_EQ(valueIn("memory.limit_in_bytes", "memory.max"), "67108864\n");
  EXPECT_EQ(valueIn("pids.max", "pids.max"), "5\n");
  ASSERT_TRUE(group.limit({.memoryMib = 32, .processes = 6}).has_value());
  EXPECT_EQ(valueIn("memory.limit_in_bytes", "memory.max"), "33554432\n");
  EXPECT_EQ(valueIn("pids.max", "pids.max"), "6\n");
  EXPECT_THAT(valueIn("cpu.cfs_quota_us", "cpu.max"), testing::AnyOf("-1\n", "max 100000\n"));
}

TEST_F(CgroupTest, AGroupThatIsGivenBackIsTheNextOne) {
  stock->giveBack(stock->take({.processes = 5}).value());
  const auto before = folders();
  const Cgroup again = stock->take({.processes = 7}).value();
  EXPECT_EQ(folders(), before);
  EXPECT_EQ(valueIn("pids.max", "pids.max"), "7\n");
}

TEST_F(CgroupTest, NothingStaysWhenTheStockGoes) {
  stock->giveBack(stock->take({}).value());
  ASSERT_FALSE(folders().empty());
  stock.reset();
  EXPECT_TRUE(folders().empty());
}

TEST_F(CgroupTest, ACopyInItIsHeldByIt) {
  const Cgroup group = stock->take({.processes = 2}).value();
  const Result<Process> copy = runIn(group, []() -> Status {
    const pid_t first = ::fork();
    if (first == 0) {
      ::pause();
      ::_exit(0);
    }
    const pid_t second = ::fork();
    if (second == 0) ::_exit(0);
    const int reason = errno;
    ::kill(first, SIGKILL);
    ::waitpid(first, nullptr, 0);
    if (second < 0 && reason == EAGAIN) return {};
    return Error(Remedy::giveUp, "a third process was not refused");
  });
  ASSERT_TRUE(copy.has_value()) << copy.error().text();
  EXPECT_EQ(copy->reap(), ProcessEnd{});
}

// A process in the group that touches 64 MiB.
ProcessEnd endOfOneThatTouchesMuch(const Cgroup& group) {
  const Result<Process> copy = runIn(group, []() -> Status {
    const pid_t greedy = ::fork();
    if (greedy == 0) {
      constexpr std::size_t kBytes = std::size_t{64} << 20U;
      void* const much = ::mmap(nullptr, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
      if (much != MAP_FAILED) std::memset(much, 1, kBytes);
      ::_exit(0);
    }
    int how = 0;
    ::waitpid(greedy, &how, 0);
    if (WIFSIGNALED(how)) ::raise(WTERMSIG(how));
    return {};
  });
  // In version 2 the whole group is killed, before it could tell.
  return copy.has_value() ? copy->reap().value() : ProcessEnd{.signal = SIGKILL};
}

TEST_F(CgroupTest, WhatTheKernelKilledForTheGroupsLimitIsTold) {
  Cgroup group = stock->take({.memoryMib = 16}).value();
  EXPECT_EQ(group.memoryShortage().value(), MemoryShortage::none);
  EXPECT_EQ(endOfOneThatTouchesMuch(group), (ProcessEnd{.signal = SIGKILL}));
  EXPECT_EQ(group.memoryShortage().value(), MemoryShortage::group);
  const auto before = folders();
  EXPECT_EQ(stock->giveBack(std::move(group)), MemoryShortage::group);
  const Cgroup next = stock->take({.memoryMib = 128}).value();
  EXPECT_NE(folders(), before) << "its count would be the next one's";
  EXPECT_EQ(endOfOneThatTouchesMuch(next), ProcessEnd{});
  EXPECT_EQ(next.memoryShortage().value(), MemoryShortage::none);
}

// Its maker was killed: what it left has its name, and nobody holds the lock.
TEST_F(CgroupTest, GroupsOfAMakerThatIsGoneAreRemovedByTheNext) {
  const Result<Process> maker = runInCopy(
      {},
      [](FileDescriptor&) -> Status {
        CgroupStock own = TRY(CgroupStock::create(CgroupUse::wherePossible));
        const Cgroup group = TRY(own.take({}));
        ::_exit(0);  // no destructor
      },
      std::chrono::seconds(10));
  ASSERT_TRUE(maker.has_value()) << maker.error().text();
  const std::string name = "quickmatch-" + std::to_string(maker->pid());
  EXPECT_EQ(maker->reap(), ProcessEnd{});
  const auto left = [&name] {
    std::size_t count = 0;
    for (const Hierarchy& each : hierarchiesFrom(readKernelFile("/proc/self/mountinfo", 1U << 20U).value(),
                                                 readKernelFile("/proc/self/cgroup").value())) {
      for (const auto& entry : std::filesystem::directory_iterator(each.own)) {
        if (entry.path().filename().native().starts_with(name)) ++count;
      }
    }
    return count;
  };
  EXPECT_GT(left(), 0U);
  const CgroupGround next = CgroupGround::find();
  EXPECT_EQ(left(), 0U);
}

}  // namespace
}  // namespace qm
