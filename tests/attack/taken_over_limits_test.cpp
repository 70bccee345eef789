// A VMM that was taken over and takes all it can get of the host, in a jail with a control group: it alone is held.
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <optional>
#include <sstream>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/service/real_daemon.h"
#include "vmm/cgroup/hierarchies.h"
#include "vmm/jail/jail_probe.h"
#include "vmm/os/mapping.h"
#include "vmm/os/testing/temp_folder.h"
#include "vmm/spawner/spawner_client.h"

namespace qm::test {
namespace {

std::string textOf(const FileDescriptor& file) {
  std::vector<std::byte> bytes(fileBytes(file).value());
  EXPECT_TRUE(readAt(file, 0, bytes).has_value());
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

// What a file of the group says in which a process is; empty: its group has no such file.
std::string inGroupOf(pid_t process, const char* file) {
  for (const Hierarchy& each :
       hierarchiesFrom(readKernelFile("/proc/self/mountinfo", 1U << 20U).value(),
                       readKernelFile("/proc/" + std::to_string(process) + "/cgroup").value_or(""))) {
    const Result<std::string> text = readKernelFile(each.own / file);
    if (text.has_value()) return *text;
  }
  return {};
}

class TakenOverAndGreedy : public testing::Test {
 protected:
  void SetUp() override {
    if (!probeJail().isComplete()) GTEST_SKIP() << "this host allows no jails";
    const spawner::Groups groups = spawner.groups().value();
    if (!groups.lacks.empty()) GTEST_SKIP() << groups.lacks;
    for (const char* name : {"vm-1", "vm-2"}) std::filesystem::create_directory(home.path() / name);
    neighbour = start("vm-2", {"listen"}, {}, neighbourSays);
  }
  void TearDown() override {
    for (const std::optional<Process>* each : {&attacker, &neighbour}) {
      if (!each->has_value()) continue;
      EXPECT_TRUE((*each)->signal(SIGKILL).has_value());
      EXPECT_TRUE(spawner.reap(**each, deadline()).has_value());
    }
  }
  static std::chrono::steady_clock::time_point deadline() { return std::chrono::steady_clock::now() + kPatience; }
  Process start(const char* folder, std::vector<std::string> arguments, const CgroupLimits& limits,
                const FileDescriptor& output) const {
    return spawner
        .spawn({.executable = QM_TAKEN_OVER,
                .arguments = std::move(arguments),
                .jail = {.folder = home.path() / folder, .readOnly = {}, .limits = limits},
                .descriptors = {{.ours = output.get(), .number = 1}}})
        .value();
  }
  void attack(const char* what, const CgroupLimits& limits) { attacker = start("vm-1", {"fill", what}, limits, says); }
  spawner::Ended attackersEnd() {
    const spawner::Ended ended = spawner.reap(*attacker, deadline()).value();
    attacker.reset();
    return ended;
  }
  bool neighbourLives() const { return !neighbour->waitForEnd(std::chrono::steady_clock::now()); }
  // The last that it told of.
  long told(const std::string& name) const {
    const std::string text = textOf(says);
    const std::size_t at = text.rfind(name + "=");
    return at == std::string::npos ? 0 : std::strtol(text.c_str() + at + name.size() + 1, nullptr, 10);
  }

  TempFolder home;
  SpawnerClient spawner = SpawnerClient::start(QM_SPAWNER, {}).value();
  FileDescriptor says = createMemfd("says", 0).value();
  FileDescriptor neighbourSays = createMemfd("neighbour", 0).value();
  std::optional<Process> attacker;
  std::optional<Process> neighbour;
};

// Read from the group in which the kernel says that it is: of version 1 here, of version 2 in the lab.
TEST_F(TakenOverAndGreedy, IsInAGroupWithTheLimitsThatItWasGiven) {
  attack("processors", {.memoryMib = 48, .processes = 12, .cpuPercent = 30});
  const auto limit = [this](const char* version1, const char* version2) {
    return inGroupOf(attacker->pid(), version1) + inGroupOf(attacker->pid(), version2);
  };
  EXPECT_EQ(limit("memory.limit_in_bytes", "memory.max"), "50331648\n");
  EXPECT_EQ(inGroupOf(attacker->pid(), "pids.max"), "12\n");
  EXPECT_THAT(limit("cpu.cfs_quota_us", "cpu.max"), testing::AnyOf("30000\n", "30000 100000\n"));
}

TEST_F(TakenOverAndGreedy, IsKilledWhenItFillsMemoryAndItsNeighbourIsNot) {
  attack("memory", {.memoryMib = 32});
  EXPECT_EQ(attackersEnd().how, ProcessEnd{.signal = SIGKILL});
  EXPECT_GT(told("mebibytes"), 16);
  EXPECT_LT(told("mebibytes"), 32);
  EXPECT_TRUE(neighbourLives());
}

TEST_F(TakenOverAndGreedy, PaysForFilesInMemoryToo) {
  attack("file", {.memoryMib = 32});
  EXPECT_EQ(attackersEnd().how, ProcessEnd{.signal = SIGKILL});
  EXPECT_LT(told("mebibytes"), 32);
  EXPECT_TRUE(neighbourLives());
}

// Whoever ended by itself, and when it is asked; not who comes after it.
TEST_F(TakenOverAndGreedy, IsToldApartWhenMemoryWasItsEnd) {
  attack("memory", {.memoryMib = 32});
  ASSERT_TRUE(attacker->waitForEnd(deadline()));
  EXPECT_EQ(spawner.memoryShortage(*attacker).value(), MemoryShortage::group);
  EXPECT_EQ(spawner.memoryShortage(*neighbour).value(), MemoryShortage::none);
  EXPECT_EQ(attackersEnd().shortage, MemoryShortage::group);
  attack("processors", {.memoryMib = 32});
  ASSERT_TRUE(attacker->signal(SIGKILL).has_value());
  EXPECT_EQ(attackersEnd(), spawner::Ended{.how = {.signal = SIGKILL}});
}

// The kernel ends one process of a group of version 1, and not the one that started it.
TEST_F(TakenOverAndGreedy, IsNoExcuseForTheNextWhenItLetOthersBeKilledForIt) {
  attack("memory-by-another", {.memoryMib = 32});
  ASSERT_TRUE(
      eventually([&] { return told("others_end") > 0 || attacker->waitForEnd(std::chrono::steady_clock::now()); }));
  const std::string first = readKernelFile("/proc/" + std::to_string(attacker->pid()) + "/cgroup").value_or("");
  ASSERT_TRUE(attacker->signal(SIGKILL).has_value());
  EXPECT_EQ(attackersEnd().shortage, MemoryShortage::group);
  attack("processors", {.memoryMib = 32});
  EXPECT_NE(readKernelFile("/proc/" + std::to_string(attacker->pid()) + "/cgroup").value(), first);
  ASSERT_TRUE(attacker->signal(SIGKILL).has_value());
  EXPECT_EQ(attackersEnd().shortage, MemoryShortage::none);
}

TEST_F(TakenOverAndGreedy, StartsNoMoreProcessesThanItsGroupHas) {
  attack("processes", {.processes = 10});
  ASSERT_TRUE(eventually([&] { return told("processes") > 0; }));
  EXPECT_EQ(told("processes"), 9);
  EXPECT_TRUE(neighbourLives());
}

TEST_F(TakenOverAndGreedy, IsHeldBackWhenItTakesMoreOfTheProcessorsThanItsQuota) {
  attack("processors", {.cpuPercent = 20});
  const auto throttled = [this] {
    std::istringstream lines(inGroupOf(attacker->pid(), "cpu.stat"));
    for (std::string name; lines >> name;) {
      long count = 0;
      if (name == "nr_throttled" && lines >> count) return count;
    }
    return 0L;
  };
  EXPECT_TRUE(eventually([&] { return throttled() > 3; })) << inGroupOf(attacker->pid(), "cpu.stat");
}

// Five that burn weigh no more than the neighbour's one: the weight is the group's.
TEST_F(TakenOverAndGreedy, HasOneVmsWeightHoweverManyItIs) {
  attack("processors", {});
  const auto weight = [](pid_t process) { return inGroupOf(process, "cpu.weight") + inGroupOf(process, "cpu.shares"); };
  const auto groups = [](pid_t process) {
    return readKernelFile("/proc/" + std::to_string(process) + "/cgroup").value();
  };
  EXPECT_FALSE(weight(attacker->pid()).empty());
  EXPECT_EQ(weight(attacker->pid()), weight(neighbour->pid()));
  EXPECT_NE(groups(attacker->pid()), groups(neighbour->pid()));
  EXPECT_NE(groups(attacker->pid()), groups(::getpid()));
}

}  // namespace
}  // namespace qm::test
