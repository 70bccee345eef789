#include "api/daemon/vm/microvm.h"

#include <signal.h>

#include <chrono>
#include <system_error>

#include <fmt/format.h>

#include "api/daemon/vm/process_memory.h"
#include "vmm/os/untrusted_file.h"

namespace qm {

namespace {

// A jail's user passes through to the files; nobody else gets past the state folder.
Status letPass(const std::filesystem::path& folder) {
  std::error_code failure;
  using std::filesystem::perms;
  std::filesystem::permissions(folder, perms::owner_all | perms::group_exec | perms::others_exec, failure);
  if (failure) return systemError("chmod " + folder.string(), failure.value());
  return {};
}

bool hasEnded(const Process& process) {
  return process.waitForEnd(std::chrono::steady_clock::now());
}

}  // namespace

Microvm::Microvm(std::string id, VmFolder folder, Process process, VmmLauncher& launcher)
    : id_(std::move(id)),
      folder_(std::move(folder)),
      process_(std::move(process)),
      launcher_(launcher),
      control_(folder_.apiSocket()) {}

Microvm::~Microvm() {
  end();
}

Status Microvm::ask(const VmmRequest& request, pool::Deadline deadline) {
  Status done = control_.ask(request, process_, deadline);
  if (!done.has_value()) return explained(std::move(done).error());
  return {};
}

Error Microvm::explained(Error error) const {
  if (!hasEnded(process_)) return error;
  const std::string words = lastWords(folder_);
  if (words.empty()) return error;
  return Error(error.remedy(), fmt::format("{}; the VM's process has ended, its last words: {}", error.text(), words));
}

Status Microvm::boot(const pool::BootPlan& plan, pool::Deadline deadline) {
  for (const VmmRequest& request : bootRequests(plan)) TRY(ask(request, deadline));
  return {};
}

Status Microvm::restore(const pool::RestorePlan& plan, pool::Deadline deadline) {
  return ask(restoreRequest(plan), deadline);
}

Status Microvm::pauseAndSave(const std::filesystem::path& state, const std::filesystem::path& memory,
                             pool::Deadline deadline) {
  for (const VmmRequest& request : saveRequests()) TRY(ask(request, deadline));
  // Moved, not written there: a jailed VMM writes in its own folder only.
  TRY(adoptFile(folder_.path / kSavedStateName, state));
  TRY(adoptFile(folder_.path / kSavedMemoryName, memory));
  return letPass(state.parent_path());
}

Result<pool::MemoryUse> Microvm::memoryUse() {
  return processMemory(process_.pid());
}

bool Microvm::isAlive() {
  return !hasEnded(process_);
}

Result<agent::AgentClient> Microvm::reachAgent(pool::Deadline deadline) const {
  for (;;) {
    Result<agent::AgentClient> client = agent::AgentClient::connect(folder_.vsock(), deadline);
    const auto now = std::chrono::steady_clock::now();
    if (client.has_value() || client.error().remedy() != Remedy::retry || now >= deadline) return client;
    if (process_.waitForEnd(now + std::chrono::milliseconds(1))) {
      return explained(Error(Remedy::giveUp, "the VM ended before its agent answered"));
    }
  }
}

Status Microvm::connectAgent(pool::Deadline deadline) {
  agent::AgentClient client = TRY(reachAgent(deadline));
  const std::scoped_lock lock(agentMutex_);
  agent_.emplace(std::move(client));
  return {};
}

Result<agent::Pong> Microvm::ping(std::uint64_t nonce, pool::Deadline deadline) {
  const std::scoped_lock lock(agentMutex_);
  if (!agent_) return Error(Remedy::giveUp, "the guest's agent is not connected");
  return agent_->ping(nonce, deadline);
}

Result<agent::Renewed> Microvm::renew(const agent::Renew& renew, pool::Deadline deadline) {
  const std::scoped_lock lock(agentMutex_);
  if (!agent_) return Error(Remedy::giveUp, "the guest's agent is not connected");
  return agent_->renew(renew, deadline);
}

Result<agent::Ran> Microvm::run(const agent::Run& run, pool::Deadline deadline) {
  // A connection of its own: a long command must not hold up pings and other commands.
  agent::AgentClient client = TRY(reachAgent(deadline));
  return client.run(run, deadline);
}

void Microvm::kill() {
  // SIGKILL cannot fail on a process that we may signal, and one that has ended takes it silently.
  static_cast<void>(process_.signal(SIGKILL));
}

void Microvm::end() {
  std::call_once(ended_, [this] {
    kill();
    launcher_.reap(process_);
    removeVmFolder(folder_);
  });
}

}  // namespace qm
