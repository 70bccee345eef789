#include "api/daemon/vm/microvm.h"

#include <signal.h>

#include <chrono>
#include <cstring>

#include <fmt/format.h>

#include "api/daemon/vm/process_memory.h"
#include "api/daemon/vm/restore_message.h"
#include "api/daemon/vm/vm_limits.h"
#include "vmm/hypervisor/soft/prepared_code.h"
#include "vmm/os/file_contents.h"
#include "vmm/os/mapping.h"
#include "vmm/os/untrusted_file.h"

namespace qm {

namespace {

// What a VM may make us read at most.
constexpr std::uint64_t kMostBitmapBytes = std::uint64_t{32} << 20U;  // of a tebibyte
constexpr std::uint64_t kMostCodeBytes = std::uint64_t{64} << 20U;

bool hasEnded(const Process& process) {
  return process.waitForEnd(std::chrono::steady_clock::now());
}

}  // namespace

Microvm::Microvm(std::string id, VmFolder folder, VmmLauncher::Launched launched, VmmLauncher& launcher)
    : id_(std::move(id)),
      folder_(std::move(folder)),
      process_(std::move(launched.process)),
      launcher_(launcher),
      control_(std::move(launched.control)),
      limits_(launched.limits) {}

Microvm::~Microvm() {
  end();
}

Status Microvm::ask(const VmmRequest& request, pool::Deadline deadline) {
  Status done = control_.ask(request, deadline);
  if (!done.has_value()) return explained(std::move(done).error());
  return {};
}

Status Microvm::ask(VmmControl::Body body, const std::vector<int>& files, std::string_view what,
                    pool::Deadline deadline) {
  Status done = control_.ask(std::move(body), files, what, deadline);
  if (!done.has_value()) return explained(std::move(done).error());
  return {};
}

Status Microvm::limitTo(const CgroupLimits& limits) {
  if (limits == limits_) return {};
  TRY(launcher_.limit(process_, limits));
  limits_ = limits;
  return {};
}

Error Microvm::explained(Error error) const {
  if (!hasEnded(process_)) return error;
  const std::string words = lastWords(folder_);
  if (words.empty()) return error;
  return Error(error.remedy(), fmt::format("{}; the VM's process has ended, its last words: {}", error.text(), words));
}

Status Microvm::boot(const pool::BootPlan& plan, pool::Deadline deadline) {
  TRY(limitTo(limitsOfBoot(plan)));
  for (const VmmRequest& request : bootRequests(plan)) TRY(ask(request, deadline));
  return {};
}

Status Microvm::restore(const pool::RestorePlan& plan, pool::Deadline deadline) {
  const CgroupLimits limits = limitsOfClone(plan);
  launcher_.expect(limits);
  TRY(limitTo(limits));
  const RestoreMessage message = restoreMessage(plan);
  return ask(message.load, message.files, "restoring", deadline);
}

Result<pool::Observed> Microvm::observe(pool::Deadline deadline) {
  const FileDescriptor written = TRY(createMemfd("quickmatch-written", 0));
  const FileDescriptor hints = TRY(createMemfd("quickmatch-hints", 0));
  TRY(ask(vmm::control::Observe{}, {written.get(), hints.get()}, "observing", deadline));
  pool::Observed observed{.codeHints = TRY(contentsOf(hints, vmm::control::kMaxHintBytes))};
  const std::vector<std::byte> bytes = TRY(contentsOf(written, kMostBitmapBytes));
  observed.written.resize(bytes.size() / sizeof(std::uint64_t));
  std::memcpy(observed.written.data(), bytes.data(), observed.written.size() * sizeof(std::uint64_t));
  return observed;
}

Result<FileDescriptor> Microvm::prepareCode(const pool::CloneFiles& files,
                                            const std::vector<std::vector<std::byte>>& hints, pool::Deadline deadline) {
  TRY(limitTo(limitsOfPreparation()));
  const MemoryDigest digest = TRY(bytesOfDigest(files.memorySha256));
  const FileDescriptor code = TRY(createMemfd("quickmatch-code", 0));
  std::vector<int> given{files.memory.get(), code.get()};
  std::vector<FileDescriptor> lists;
  for (const std::vector<std::byte>& list : hints) {
    const FileDescriptor& file = lists.emplace_back(TRY(createMemfd("quickmatch-hints", 0)));
    TRY(writeAt(file, 0, list));
    given.push_back(file.get());
  }
  TRY(ask(vmm::control::Prepare{.memorySha256 = digest}, given, "preparing code", deadline));
  const std::vector<std::byte> bytes = TRY(contentsOf(code, kMostCodeBytes));
  return sealSoftCode(bytes, digest);
}

Status Microvm::pauseAndSave(const std::filesystem::path& state, const std::filesystem::path& memory,
                             pool::Deadline deadline) {
  for (const VmmRequest& request : saveRequests()) TRY(ask(request, deadline));
  // Moved, not written there: a jailed VMM writes in its own folder only.
  TRY(adoptFile(folder_.path / kSavedStateName, state));
  return adoptFile(folder_.path / kSavedMemoryName, memory);
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
