#include "api/daemon/vm/microvm.h"

#include <array>
#include <chrono>
#include <cstring>
#include <functional>
#include <utility>

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

// One for a command and one for a ping beside it.
constexpr std::size_t kMostIdleAgents = 2;

// Of a command, its words and stdin: what an idle stream takes at once.
constexpr std::size_t kMostBegun = std::size_t{32} << 10U;

bool isShort(const agent::Run& run) {
  std::size_t bytes = run.stdin.size();
  for (const auto* words : {&run.argv, &run.env}) {
    for (const std::string& word : *words) bytes += word.size();
    bytes += words->size() * sizeof(std::uint64_t);
  }
  return bytes <= kMostBegun;
}

}  // namespace

Microvm::Microvm(std::string id, VmFolder folder, VmmLauncher::Launched launched, VmmLauncher& launcher,
                 VmAccounts& accounts)
    : Microvm(id, std::make_shared<VmmProcess>(id, std::move(folder), std::move(launched), launcher, accounts), 0,
              launcher.networks()) {}

Microvm::Microvm(std::string id, std::shared_ptr<VmmProcess> vmm, std::uint64_t resets, GuestNetworks networks)
    : id_(std::move(id)), vmm_(std::move(vmm)), resets_(resets), link_(networks) {}

Microvm::~Microvm() {
  end();
}

Status Microvm::boot(const pool::BootPlan& plan, pool::Deadline deadline) {
  TRY(vmm_->limitTo(limitsOfBoot(plan), plan.templateName));
  if (plan.network.kind == pool::NetworkKind::slot) {
    TRY(link_.open(plan.network, id_));
    TRY(vmm_->ask(interfaceRequest(), deadline, std::array{link_.tap().get()}).during("giving the VM its tap"));
    link_.tapGiven();
  }
  for (const VmmRequest& request : bootRequests(plan)) TRY(vmm_->ask(request, deadline));
  return {};
}

Status Microvm::restore(const pool::RestorePlan& plan, pool::Deadline deadline) {
  const CgroupLimits limits = limitsOfClone(plan);
  vmm_->expectAlike(limits);
  TRY(vmm_->limitTo(limits, plan.templateName));
  RestoreMessage message = restoreMessage(plan, vsockName(resets_));
  snapshot_ = plan.snapshot;
  if (plan.network.kind == pool::NetworkKind::none) return load(std::move(message), deadline);
  TRY(link_.open(plan.network, id_));
  giveTap(message, link_.tap());
  TRY(load(std::move(message), deadline));
  link_.tapGiven();
  return {};
}

Status Microvm::load(RestoreMessage message, pool::Deadline deadline) {
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
  TRY(vmm_->limitTo(limitsOfPreparation()));
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
  link_.cut();
  auto next = std::make_unique<Microvm>(std::string(id), vmm_, resets_ + 1, link_.networks());
  // Closed when there is another, not before: to the old guest it would be work.
  if (const std::unique_lock lock(agentMutex_, std::try_to_lock); lock.owns_lock())
    next->formerAgents_ = std::exchange(idleAgents_, {});
  return next;
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
  formerAgents_.clear();
  keepAgent(std::move(client));
  return {};
}

Result<std::optional<agent::AgentClient>> Microvm::takeIdleAgent() {
  if (isReclaimed_) return Error(Remedy::giveUp, "the VM has ended");
  const std::scoped_lock lock(agentMutex_);
  if (!isConnected_) return Error(Remedy::giveUp, "the guest's agent is not connected");
  if (idleAgents_.empty()) return std::nullopt;
  std::optional client(std::move(idleAgents_.back()));
  idleAgents_.pop_back();
  return client;
}

Result<agent::AgentClient> Microvm::takeAgent(pool::Deadline deadline) {
  if (auto idle = TRY(takeIdleAgent())) return *std::move(idle);
  return reachAgent(deadline);
}

void Microvm::keepAgent(agent::AgentClient client) {
  const std::scoped_lock lock(agentMutex_);
  isConnected_ = true;
  if (idleAgents_.size() < kMostIdleAgents) idleAgents_.push_back(std::move(client));
}

template <class T>
Result<T> Microvm::talk(pool::Deadline deadline, const std::function<Result<T>(agent::AgentClient&)>& ask) {
  agent::AgentClient client = TRY(takeAgent(deadline));
  Result<T> answer = ask(client);
  if (!answer.has_value()) return explained(std::move(answer).error());
  keepAgent(std::move(client));
  return answer;
}

Result<agent::Pong> Microvm::ping(std::uint64_t nonce, pool::Deadline deadline) {
  return talk<agent::Pong>(deadline, [&](agent::AgentClient& client) { return client.ping(nonce, deadline); });
}

Result<agent::Renewed> Microvm::renew(const agent::Renew& renew, pool::Deadline deadline) {
  agent::Renewed renewed =
      TRY(talk<agent::Renewed>(deadline, [&](agent::AgentClient& client) { return client.renew(renew, deadline); }));
  vmm_->account().renewed();
  return renewed;
}

Result<agent::Ran> Microvm::run(const agent::Run& run, pool::Deadline deadline) {
  return talk<agent::Ran>(deadline, [&](agent::AgentClient& client) { return client.run(run, deadline); });
}

// Of a process that is another VM by now there is nothing to tell.
Error Microvm::explained(Error error) {
  return isReclaimed_ ? error : vmm_->explained(std::move(error));
}

// A call under way over a connection of its own, which goes back to the idle ones after the answer.
template <class T>
class Microvm::Talk final : public pool::Awaited<T> {
 public:
  using Look = std::function<Result<std::optional<T>>(agent::AgentClient&)>;

  Talk(Microvm& vm, agent::AgentClient client, pool::Deadline deadline, Look look)
      : vm_(vm), client_(std::move(client)), deadline_(deadline), look_(std::move(look)) {}

  const FileDescriptor& file() const override { return client_.stream(); }
  pool::Deadline deadline() const override { return deadline_; }
  std::optional<Result<T>> take() override {
    Result<std::optional<T>> seen = look_(client_);
    if (!seen.has_value()) return std::move(seen).error();
    if (seen->has_value()) {
      vm_.keepAgent(std::move(client_));
      return **std::move(seen);
    }
    if (std::chrono::steady_clock::now() < deadline_) return std::nullopt;
    return Error(Remedy::retry, "the guest's agent did not answer in time");
  }

 private:
  Microvm& vm_;
  agent::AgentClient client_;
  pool::Deadline deadline_;
  Look look_;
};

Result<std::unique_ptr<pool::Awaited<agent::Pong>>> Microvm::beginPing(std::uint64_t nonce, pool::Deadline deadline) {
  std::optional<agent::AgentClient> client = TRY(takeIdleAgent());
  if (!client) return nullptr;
  TRY(client->begin(agent::Ping{.nonce = nonce}));
  return std::make_unique<Talk<agent::Pong>>(*this, *std::move(client), deadline,
                                             [nonce](agent::AgentClient& from) { return from.takePong(nonce); });
}

Result<std::unique_ptr<pool::Awaited<agent::Ran>>> Microvm::beginRun(const agent::Run& run, pool::Deadline deadline) {
  if (!isShort(run)) return nullptr;
  std::optional<agent::AgentClient> client = TRY(takeIdleAgent());
  if (!client) return nullptr;
  TRY(client->begin(run));
  return std::make_unique<Talk<agent::Ran>>(
      *this, *std::move(client), deadline,
      [limit = run.outputLimit](agent::AgentClient& from) { return from.takeRan(limit); });
}

Result<std::unique_ptr<pool::Awaited<pool::GuestConnection>>> Microvm::beginConnect(std::uint16_t port,
                                                                                    pool::Deadline deadline) {
  return link_.beginConnect(port, deadline);
}

void Microvm::kill() {
  link_.cut();
  if (!isReclaimed_) vmm_->kill();
}

void Microvm::end() {
  if (!isReclaimed_) vmm_->end();
}

}  // namespace qm
