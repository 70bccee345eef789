// One QEMU process and the guest in it.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "bench/contender/contender.h"
#include "bench/start/qemu_monitor.h"
#include "vmm/guest/client/agent_client.h"
#include "vmm/os/process.h"

namespace qm::bench {

struct QemuPlan {
  std::filesystem::path qemu;
  // Its sockets and console are PATH.monitor, PATH.port and PATH.console.
  std::filesystem::path base;
  std::vector<std::string> arguments;          // besides the sockets and the console
  const FileDescriptor* descriptor = nullptr;  // what it has as number 3; not owned
};

class QemuGuest final : public Guest {
 public:
  static Result<std::unique_ptr<QemuGuest>> start(const QemuPlan& plan);
  ~QemuGuest() override;

  Result<pid_t> pid() override { return process_.pid(); }
  Result<Clock::time_point> waitForReply(std::chrono::milliseconds pause) override;
  Result<agent::Ran> run(const agent::Run& command, Clock::time_point deadline) override {
    return agent_.value().run(command, deadline);
  }
  Result<std::optional<std::uint64_t>> end() override;

  // Once QEMU listens.
  Result<QemuMonitor> monitor() const;

  QemuGuest(std::filesystem::path base, Process process) : base_(std::move(base)), process_(std::move(process)) {}

 private:
  // Its own messages and the guest's console, for an error's sentence.
  std::string said() const;

  std::filesystem::path base_;
  Process process_;
  std::optional<agent::AgentClient> agent_;
};

}  // namespace qm::bench
