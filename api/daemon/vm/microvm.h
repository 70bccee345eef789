// One microVM as the pool needs it: a VMM process in its folder, asked over its control channel; its guest's agent is
// reached through vsock.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "api/daemon/vm/vm_folder.h"
#include "api/daemon/vm/vmm_control.h"
#include "api/daemon/vm/vmm_launcher.h"
#include "pool/vm/vm_process.h"
#include "vmm/guest/client/agent_client.h"

namespace qm {

class Microvm final : public pool::VmProcess {
 public:
  // Takes over a process that was started in `folder`. The launcher outlives it.
  Microvm(std::string id, VmFolder folder, VmmLauncher::Launched launched, VmmLauncher& launcher);
  ~Microvm() override;
  Microvm(const Microvm&) = delete;
  Microvm& operator=(const Microvm&) = delete;

  const std::string& id() const override { return id_; }
  std::int64_t pid() const override { return process_.pid(); }
  Status boot(const pool::BootPlan& plan, pool::Deadline deadline) override;
  Status restore(const pool::RestorePlan& plan, pool::Deadline deadline) override;
  Status pauseAndSave(const std::filesystem::path& state, const std::filesystem::path& memory,
                      pool::Deadline deadline) override;
  Result<pool::Observed> observe(pool::Deadline deadline) override;
  Result<FileDescriptor> prepareCode(const pool::CloneFiles& files, const std::vector<std::vector<std::byte>>& hints,
                                     pool::Deadline deadline) override;
  Result<pool::MemoryUse> memoryUse() override;
  bool isAlive() override;
  Status connectAgent(pool::Deadline deadline) override;
  Result<agent::Pong> ping(std::uint64_t nonce, pool::Deadline deadline) override;
  Result<agent::Renewed> renew(const agent::Renew& renew, pool::Deadline deadline) override;
  Result<agent::Ran> run(const agent::Run& run, pool::Deadline deadline) override;
  void kill() override;
  void end() override;

 private:
  Status ask(const VmmRequest& request, pool::Deadline deadline);
  Status ask(VmmControl::Body body, const std::vector<int>& files, std::string_view what, pool::Deadline deadline);
  // Before it is asked to be what needs them.
  Status limitTo(const CgroupLimits& limits);
  // Tries until the agent accepts, or the process or the time is at its end.
  Result<agent::AgentClient> reachAgent(pool::Deadline deadline) const;
  // Adds what the console said last, when the process has ended.
  Error explained(Error error) const;

  const std::string id_;
  const VmFolder folder_;
  const Process process_;
  VmmLauncher& launcher_;
  VmmControl control_;
  CgroupLimits limits_;
  std::mutex agentMutex_;  // protects agent_: one message there and one back at a time
  std::optional<agent::AgentClient> agent_;
  std::once_flag ended_;
};

}  // namespace qm
