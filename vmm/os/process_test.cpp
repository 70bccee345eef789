#include "vmm/os/process.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>

#include <gtest/gtest.h>

namespace qm {
namespace {

using namespace std::chrono_literals;

std::chrono::steady_clock::time_point in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

StartPlan shell(const std::string& script) {
  return {.executable = "/bin/sh", .arguments = {"-c", script}, .output = "/dev/null"};
}

TEST(Process, AChildsExitCodeArrives) {
  const Process child = Process::start(shell("exit 7")).value();
  EXPECT_TRUE(child.waitForEnd(in(10s)));
  EXPECT_EQ(child.reap(), (ProcessEnd{.code = 7}));
}

TEST(Process, OneThatRunsIsWaitedForNoLongerThanAskedAndEndsByASignal) {
  const Process child = Process::start(shell("sleep 100")).value();
  EXPECT_FALSE(child.waitForEnd(in(10ms)));
  ASSERT_TRUE(child.signal(SIGKILL).has_value());
  EXPECT_EQ(child.reap(), (ProcessEnd{.signal = SIGKILL}));
  EXPECT_TRUE(child.signal(SIGKILL).has_value()) << "a process that has ended takes signals silently";
}

TEST(Process, TheChildWorksInTheFolderThatIsNamed) {
  StartPlan plan = shell("test \"$(pwd)\" = /proc");
  plan.folder = "/proc";
  const Process child = Process::start(plan).value();
  EXPECT_EQ(child.reap(), (ProcessEnd{.code = 0}));
}

TEST(Process, AProgramThatIsNotThereIsTheCallersToFix) {
  const auto child = Process::start({.executable = "/nowhere/program", .output = "/dev/null"});
  ASSERT_FALSE(child.has_value());
  EXPECT_EQ(child.error().remedy(), Remedy::fixInput);
  EXPECT_EQ(child.error().text(), "starting /nowhere/program: No such file or directory");
}

TEST(Process, CpuTimeIsKnownUntilItIsReaped) {
  const Process child = Process::start(shell("i=0; while [ $i -lt 20000 ]; do i=$((i+1)); done")).value();
  ASSERT_TRUE(child.waitForEnd(std::chrono::steady_clock::now() + std::chrono::seconds(20)));
  const auto used = child.cpuTime();
  ASSERT_TRUE(used.has_value());
  EXPECT_GT(*used, std::chrono::microseconds(100));
  child.reap();
  EXPECT_EQ(child.cpuTime(), std::nullopt);
}

TEST(Process, StartTicksTellTwoProcessesOfOneNumberApart) {
  const Process child = Process::start(shell("sleep 100")).value();
  const std::uint64_t own = processStartTicks(::getpid()).value();
  EXPECT_EQ(processStartTicks(::getpid()).value(), own);
  EXPECT_GE(processStartTicks(child.pid()).value(), own);
  ASSERT_TRUE(child.signal(SIGKILL).has_value());
  child.reap();
  EXPECT_FALSE(processStartTicks(child.pid()).has_value());
}

}  // namespace
}  // namespace qm
