// quickmatchd as a program in a temporary folder; ended at the latest with this.
#pragma once

#include <signal.h>

#include <chrono>
#include <filesystem>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "vmm/os/process.h"
#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/unix_socket.h"
#include "vmm/result/check.h"

namespace qm::test {

class RunningDaemon {
 public:
  struct Programs {
    std::filesystem::path daemon;
    std::filesystem::path vmm;
    std::filesystem::path spawner;
    // The rest of its command line. Usual is a VMM without a guest, for which there need be neither KVM nor a jail.
    std::vector<std::string> options{"--jail", "none", "--hypervisor", "kvm"};
  };
  explicit RunningDaemon(Programs programs) : programs_(std::move(programs)) { start(); }
  RunningDaemon(const RunningDaemon&) = delete;
  RunningDaemon& operator=(const RunningDaemon&) = delete;
  ~RunningDaemon() {
    if (process_.pid() > 0) stop(SIGTERM);
  }

  // Answers once it listens.
  void start() {
    process_ = Process::start(plan("daemon.log")).value();
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!connectUnix(socket(), Blocking::yes).has_value()) {
      CHECK(std::chrono::steady_clock::now() < deadline);
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }
  ProcessEnd stop(int signal) {
    CHECK(process_.signal(signal).has_value());
    const ProcessEnd end = process_.reap().value();
    process_ = Process();
    return end;
  }

  // Its exit, when it is about to end by itself.
  ProcessEnd awaitEnd() {
    CHECK(process_.waitForEnd(std::chrono::steady_clock::now() + std::chrono::minutes(1)));
    const ProcessEnd end = process_.reap().value();
    process_ = Process();
    return end;
  }
  pid_t pid() const { return process_.pid(); }

  StartPlan plan(const char* log) const {
    StartPlan plan{.executable = programs_.daemon,
                   .arguments = {"--state", state().string(), "--vmm", programs_.vmm.string(), "--spawner",
                                 programs_.spawner.string(), "--listen", "none"},
                   .output = folder_.path() / log};
    plan.arguments.insert(plan.arguments.end(), programs_.options.begin(), programs_.options.end());
    return plan;
  }
  std::filesystem::path state() const { return folder_.path() / "state"; }
  std::filesystem::path socket() const { return state() / "api.sock"; }
  const std::filesystem::path& folder() const { return folder_.path(); }
  // A file that stands for a kernel. The VMM without a guest refuses one whose name has "bad" in it.
  std::filesystem::path kernel(const std::string& name) const {
    const std::filesystem::path path = folder_.path() / name;
    CHECK(openFile(path, OpenMode::create).has_value());
    return path;
  }

 private:
  TempFolder folder_;
  Programs programs_;
  Process process_;
};

}  // namespace qm::test
