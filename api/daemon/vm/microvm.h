// One microVM as the pool needs it: a VMM process in its folder, asked over its control channel; its guest's agent is
// reached through vsock. After a reset the process goes on as another Microvm, with a guest and a socket of its own.
#pragma once

#include <atomic>
#include <filesystem>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "api/daemon/network/guest_link.h"
#include "api/daemon/vm/restore_message.h"
#include "api/daemon/vm/vm_folder.h"
#include "api/daemon/vm/vmm_launcher.h"
#include "api/daemon/vm/vmm_process.h"
#include "pool/vm/vm_process.h"
#include "vmm/guest/client/agent_client.h"

namespace qm {

class Microvm final : public pool::VmProcess {
 public:
  // Takes over a process that was started in `folder`. Launcher and accounts outlive it.
  Microvm(std::string id, VmFolder folder, VmmLauncher::Launched launched, VmmLauncher& launcher, VmAccounts& accounts);
  // The one after so many resets of the process.
  Microvm(std::string id, std::shared_ptr<VmmProcess> vmm, std::uint64_t resets, GuestNetworks networks);
  ~Microvm() override;
  Microvm(const Microvm&) = delete;
  Microvm& operator=(const Microvm&) = delete;

  const std::string& id() const override { return id_; }
  std::int64_t pid() const override { return vmm_->process().pid(); }
  const std::filesystem::path& snapshot() const override { return snapshot_; }
  Status boot(const pool::BootPlan& plan, pool::Deadline deadline) override;
  Status restore(const pool::RestorePlan& plan, pool::Deadline deadline) override;
  Status pauseAndSave(const std::filesystem::path& state, const std::filesystem::path& memory,
                      pool::Deadline deadline) override;
  Result<pool::Observed> observe(pool::Deadline deadline) override;
  Result<FileDescriptor> prepareCode(const pool::CloneFiles& files, const std::vector<std::vector<std::byte>>& hints,
                                     pool::Deadline deadline) override;
  Result<pool::MemoryUse> memoryUse() override;
  bool isAlive() override;
  Result<std::unique_ptr<pool::VmProcess>> reclaim(std::string_view id) override;
  Status connectAgent(pool::Deadline deadline) override;
  Result<agent::Pong> ping(std::uint64_t nonce, pool::Deadline deadline) override;
  Result<agent::Renewed> renew(const agent::Renew& renew, pool::Deadline deadline) override;
  Result<agent::Ran> run(const agent::Run& run, pool::Deadline deadline) override;
  Result<std::unique_ptr<pool::Awaited<agent::Pong>>> beginPing(std::uint64_t nonce, pool::Deadline deadline) override;
  Result<std::unique_ptr<pool::Awaited<agent::Ran>>> beginRun(const agent::Run& run, pool::Deadline deadline) override;
  Error explained(Error error) override;
  Result<std::unique_ptr<pool::Awaited<pool::GuestConnection>>> beginConnect(std::uint16_t port,
                                                                             pool::Deadline deadline) override;
  void kill() override;
  void end() override;

 private:
  template <class T>
  class Talk;

  Status load(RestoreMessage message, pool::Deadline deadline);
  // Asks over a connection, which is kept after an answer; an error is explained.
  template <class T>
  Result<T> talk(pool::Deadline deadline, const std::function<Result<T>(agent::AgentClient&)>& ask);
  // A connection to the agent that nobody speaks over, or another one: a long command must not hold up pings and other
  // commands. Made ahead it saves a command the guest's part in a connection's making.
  Result<agent::AgentClient> takeAgent(pool::Deadline deadline);
  // None: not without waiting.
  Result<std::optional<agent::AgentClient>> takeIdleAgent();
  // After an answer: one over which something is still under way would hold up whoever takes it.
  void keepAgent(agent::AgentClient client);
  // Tries until the agent accepts, or the process or the time is at its end.
  Result<agent::AgentClient> reachAgent(pool::Deadline deadline) const;

  const std::string id_;
  const std::shared_ptr<VmmProcess> vmm_;
  const std::uint64_t resets_ = 0;         // of the process, before this
  GuestLink link_;                         // each time another slot
  std::filesystem::path snapshot_;         // empty: it was not restored
  std::atomic<bool> isReclaimed_ = false;  // the process is another VM by now
  std::mutex agentMutex_;                  // protects the next two; held for no conversation
  bool isConnected_ = false;
  std::vector<agent::AgentClient> idleAgents_;
  std::vector<agent::AgentClient> formerAgents_;  // of the guest before a reset, until this one's is connected
};

}  // namespace qm
