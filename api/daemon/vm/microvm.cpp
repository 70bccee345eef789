#include "api/daemon/vm/microvm.h"

#include <array>
#include <chrono>
#include <cstring>

#include "api/daemon/vm/process_memory.h"
#include "api/daemon/vm/restore_message.h"
#include "vmm/hypervisor/soft/prepared_code.h"
#include "vmm/os/file_contents.h"
#include "vmm/os/mapping.h"
#include "vmm/os/untrusted_file.h"

namespace qm {

namespace {

// What a VM may make us read at most.
constexpr std::uint64_t kMostBitmapBytes = std::uint64_t{32} << 20U;  // of a tebibyte
constexpr std::uint64_t kMostCodeBytes = std::uint64_t{64} << 20U;

}  // namespace

Microvm::Microvm(std::string id, VmFolder folder, VmmLauncher::Launched launched, VmmLauncher& launcher)
    : Microvm(std::move(id), std::make_shared<VmmProcess>(std::move(folder), std::move(launched), launcher), 0) {}

Microvm::Microvm(std::string id, std::shared_ptr<VmmProcess> vmm, std::uint64_t resets)
    : id_(std::move(id)), vmm_(std::move(vmm)), resets_(resets) {}

Microvm::~Microvm() {
  end();
}

Status Microvm::boot(const pool::BootPlan& plan, pool::Deadline deadline) {
  for (const VmmRequest& request : bootRequests(plan)) TRY(vmm_->ask(request, deadline));
  return {};
}

Status Microvm::restore(const pool::RestorePlan& plan, pool::Deadline deadline) {
  RestoreMessage message = restoreMessage(plan, vsockName(resets_));
  snapshot_ = plan.snapshot;
  if (resets_ == 0) return vmm_->ask(std::move(message.load), message.files, "restoring", deadline);
  return vmm_->ask(vmm::control::Reset{.load = std::move(message.load)}, message.files, "resetting", deadline);
}

Result<pool::Observed> Microvm::observe(pool::Deadline deadline) {
  const FileDescriptor written = TRY(createMemfd("quickmatch-written", 0));
  const FileDescriptor hints = TRY(createMemfd("quickmatch-hints", 0));
  TRY(vmm_->ask(vmm::control::Observe{}, std::array{written.get(), hints.get()}, "observing", deadline));
  pool::Observed observed{.codeHints = TRY(contentsOf(hints, vmm::control::kMaxHintBytes))};
  const std::vector<std::byte> bytes = TRY(contentsOf(written, kMostBitmapBytes));
  observed.written.resize(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(observed.written.data(), bytes.data(), observed.written.size() * sizeof(std::uint64_t));
  return observed;
}

Result<FileDescriptor> Microvm::prepareCode(const pool::CloneFiles& files,
                                            const std::vector<std::vector<std::byte>>& hints, pool::Deadline deadline) {
  const MemoryDigest digest = TRY(bytesOfDigest(files.memorySha256));
  const FileDescriptor code = TRY(createMemfd("quickmatch-code", 0));
  std::vector<int> given{files.memory.get(), code.get()};
  std::vector<FileDescriptor> lists;
  for (const std::vector<std::byte>& list : hints) {
    const FileDescriptor& file = lists.emplace_back(TRY(createMemfd("quickmatch-hints", 0)));
    TRY(writeAt(file, 0, list));
    given.push_back(file.get());
  }
  TRY(vmm_->ask(vmm::control::Prepare{.memorySha256 = digest}, given, "preparing code", deadline));
  const std::vector<std::byte> bytes = TRY(contentsOf(code, kMostCodeBytes));
  return sealSoftCode(bytes, digest);
}

Status Microvm::pauseAndSave(const std::filesystem::path& state, const std::filesystem::path& memory,
                             pool::Deadline deadline) {
  for (const VmmRequest& request : saveRequests()) TRY(vmm_->ask(request, deadline));
  // Moved, not written there: a jailed VMM writes in its own folder only.
  TRY(adoptFile(vmm_->folder().path / kSavedStateName, state));
  return adoptFile(vmm_->folder().path / kSavedMemoryName, memory);
}

Result<pool::MemoryUse> Microvm::memoryUse() {
  return processMemory(vmm_->process().pid());
}

bool Microvm::isAlive() {
  return !isReclaimed_ && !vmm_->hasEnded();
}

Result<std::unique_ptr<pool::VmProcess>> Microvm::reclaim(std::string_view id) {
  if (snapshot_.empty()) return Error(Remedy::giveUp, "the VM was not restored from a snapshot: it cannot be reset");
  if (isReclaimed_.exchange(true)) return Error(Remedy::giveUp, "the VM's process is another VM already");
  vmm_->halt();
  return std::make_unique<Microvm>(std::string(id), vmm_, resets_ + 1);
}

Result<agent::AgentClient> Microvm::reachAgent(pool::Deadline deadline) const {
  const std::filesystem::path socket = vmm_->folder().vsock(resets_);
  for (;;) {
    if (isReclaimed_) return Error(Remedy::giveUp, "the VM has ended");
    Result<agent::AgentClient> client = agent::AgentClient::connect(socket, deadline);
    const auto now = std::chrono::steady_clock::now();
    if (client.has_value() || client.error().remedy() != Remedy::retry || now >= deadline) return client;
    if (vmm_->process().waitForEnd(now + std::chrono::milliseconds(1))) {
      return vmm_->explained(Error(Remedy::giveUp, "the VM ended before its agent answered"));
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
  if (!isReclaimed_) vmm_->kill();
}

void Microvm::end() {
  if (!isReclaimed_) vmm_->end();
}

}  // namespace qm
