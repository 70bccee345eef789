#include "pool/vm/fake_vm.h"

#include <algorithm>
#include <span>
#include <utility>

namespace qm::pool {
namespace {

std::vector<std::byte> bytesOf(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

Error ended() {
  return {Remedy::giveUp, "the VM has ended"};
}

}  // namespace

class FakeVm final : public VmProcess {
 public:
  FakeVm(FakeVms& all, std::string_view id) : all_(all), id_(id) {}
  FakeVm(FakeVms& all, std::string_view id, std::uint64_t bornAt)
      : all_(all), id_(id), bornAt_(bornAt), wasReclaimed_(true) {}
  ~FakeVm() override { end(); }

  const std::string& id() const override { return id_; }
  std::int64_t pid() const override { return 1; }
  const std::filesystem::path& snapshot() const override { return snapshot_; }

  Status boot(const BootPlan&, Deadline) override {
    {
      std::unique_lock lock(all_.mutex_);
      all_.changed_.wait(lock, [this] { return !all_.gateClosed_ || killed_; });
    }
    const Status passed = step(Phase::boot, "boot");
    const std::lock_guard lock(all_.mutex_);
    guestNonce_ = all_.nextNonce_++;
    return passed;
  }

  Status restore(const RestorePlan& plan, Deadline) override {
    {
      std::unique_lock lock(all_.mutex_);
      all_.changed_.wait(lock, [this] { return !all_.gateClosed_ || killed_; });
      guestNonce_ = all_.saved_[plan.snapshot];
      snapshot_ = plan.snapshot;
    }
    return wasReclaimed_ ? step(Phase::reset, "reset") : step(Phase::restore, "restore");
  }

  Status pauseAndSave(const std::filesystem::path&, const std::filesystem::path& memory, Deadline) override {
    if (!living()) return ended();
    all_.note(id_, "save");
    const std::lock_guard lock(all_.mutex_);
    all_.saved_[memory.parent_path()] = guestNonce_;
    return {};
  }

  Result<Observed> observe(Deadline) override {
    if (Status passed = step(Phase::ping, "observe"); !passed) return std::move(passed).error();
    return Observed{.written = {0b0111}, .codeHints = {std::byte{1}}};
  }
  Result<FileDescriptor> prepareCode(const CloneFiles&, const std::vector<std::vector<std::byte>>& hints,
                                     Deadline) override {
    if (Status passed = step(Phase::ping, "prepare " + std::to_string(hints.size())); !passed)
      return std::move(passed).error();
    return openFile("/dev/null", OpenMode::read);
  }

  Result<MemoryUse> memoryUse() override { return MemoryUse{.privateBytes = 4096, .sharedBytes = 8192}; }
  bool isAlive() override { return living(); }
  Status connectAgent(Deadline) override { return step(Phase::connect, "connect"); }

  Result<agent::Pong> ping(std::uint64_t nonce, Deadline) override {
    if (Status passed = step(Phase::ping, "ping"); !passed) return std::move(passed).error();
    const std::lock_guard lock(all_.mutex_);
    const bool forgot = std::exchange(all_.forgetful_, false);
    return agent::Pong{.nonce = nonce, .guestNonce = forgot ? guestNonce_ + 1 : guestNonce_, .handledUs = 7};
  }

  Result<agent::Renewed> renew(const agent::Renew& renew, Deadline) override {
    if (Status passed = step(Phase::renew, "renew"); !passed) return std::move(passed).error();
    const std::lock_guard lock(all_.mutex_);
    all_.identities_.push_back(renew);
    return agent::Renewed{.guestNonce = guestNonce_, .hooks = {}, .nonce = all_.echoes_ ? renew.nonce : 0};
  }

  Result<agent::Ran> run(const agent::Run& run, Deadline) override {
    if (Status passed = step(Phase::warmUp, "run " + run.argv.front()); !passed) return std::move(passed).error();
    if (run.argv.front() == "false") return agent::Ran{.exitCode = 1, .err = bytesOf("said no")};
    if (run.argv.front() == "sleep") {
      std::unique_lock lock(all_.mutex_);
      ++all_.sleepers_;
      all_.changed_.notify_all();
      all_.changed_.wait(lock, [this] { return killed_ || isReclaimed_; });
      return ended();
    }
    return agent::Ran{.out = bytesOf(run.argv.back())};
  }

  Result<std::unique_ptr<Awaited<GuestConnection>>> beginConnect(std::uint16_t /*port*/,
                                                                 Deadline /*deadline*/) override {
    return Error(Remedy::fixInput, "a fake has no network");
  }
  Result<std::unique_ptr<VmProcess>> reclaim(std::string_view id) override {
    if (snapshot_.empty()) return Error(Remedy::giveUp, "it was not restored");
    TRY(step(Phase::take, "reclaim"));
    const std::lock_guard lock(all_.mutex_);
    isReclaimed_ = true;
    all_.changed_.notify_all();
    return std::make_unique<FakeVm>(all_, id, bornAt_);
  }

  Error explained(Error error) override { return error; }

  // A guest that can only be waited for.
  Result<std::unique_ptr<Awaited<agent::Pong>>> beginPing(std::uint64_t, Deadline) override { return nullptr; }
  Result<std::unique_ptr<Awaited<agent::Ran>>> beginRun(const agent::Run&, Deadline) override { return nullptr; }

  void kill() override {
    const std::lock_guard lock(all_.mutex_);
    if (isReclaimed_ || std::exchange(killed_, true)) return;
    --all_.alive_;
    all_.changed_.notify_all();
  }
  void end() override {
    kill();
    {
      std::unique_lock lock(all_.mutex_);
      if (isReclaimed_) return;
      all_.changed_.wait(lock, [this] { return all_.endsFlow_; });
      if (std::exchange(ended_, true)) return;
    }
    all_.note(id_, "end");
  }

 private:
  bool living() const {
    const std::lock_guard lock(all_.mutex_);
    return !killed_ && !isReclaimed_ && bornAt_ == all_.deaths_;
  }
  Status step(Phase phase, std::string event) {
    if (!living()) return ended();
    return all_.pass(phase, id_, std::move(event));
  }

  friend class FakeVms;
  FakeVms& all_;
  std::string id_;
  std::filesystem::path snapshot_;
  // Guarded by all_.mutex_.
  std::uint64_t bornAt_ = 0;
  std::uint64_t guestNonce_ = 0;
  bool killed_ = false;
  bool ended_ = false;
  bool isReclaimed_ = false;         // its process is another fake by now
  const bool wasReclaimed_ = false;  // its process was another before
};

Result<std::unique_ptr<VmProcess>> FakeVms::spawn(std::string_view id, VmPurpose) {
  TRY(pass(Phase::spawn, std::string(id), "spawn"));
  auto vm = std::make_unique<FakeVm>(*this, id);
  const std::lock_guard lock(mutex_);
  vm->bornAt_ = deaths_;
  mostAlive_ = std::max(mostAlive_, ++alive_);
  return vm;
}

void FakeVms::fail(Phase phase, int times, Error error) {
  const std::lock_guard lock(mutex_);
  faults_.insert_or_assign(phase, std::pair(times, std::move(error)));
}

void FakeVms::echoNonces() {
  const std::lock_guard lock(mutex_);
  echoes_ = true;
}

void FakeVms::forgetMemory() {
  const std::lock_guard lock(mutex_);
  forgetful_ = true;
}

void FakeVms::killAll() {
  const std::lock_guard lock(mutex_);
  ++deaths_;
}

void FakeVms::closeGate() {
  const std::lock_guard lock(mutex_);
  gateClosed_ = true;
}

void FakeVms::openGate() {
  const std::lock_guard lock(mutex_);
  gateClosed_ = false;
  changed_.notify_all();
}

void FakeVms::holdEnds() {
  const std::lock_guard lock(mutex_);
  endsFlow_ = false;
}

void FakeVms::letEndsFlow() {
  const std::lock_guard lock(mutex_);
  endsFlow_ = true;
  changed_.notify_all();
}

void FakeVms::awaitSleeper() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return sleepers_ > 0; });
}

std::vector<std::string> FakeVms::history() const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> events;
  for (const auto& [id, event] : history_) events.push_back(event);
  return events;
}

std::vector<std::string> FakeVms::historyOf(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  std::vector<std::string> events;
  for (const auto& [who, event] : history_) {
    if (who == id) events.push_back(event);
  }
  return events;
}

std::size_t FakeVms::count(std::string_view event) const {
  const auto events = history();
  return static_cast<std::size_t>(std::ranges::count(events, event));
}

std::vector<agent::Renew> FakeVms::identities() const {
  const std::lock_guard lock(mutex_);
  return identities_;
}

std::size_t FakeVms::alive() const {
  const std::lock_guard lock(mutex_);
  return alive_;
}

std::size_t FakeVms::mostAlive() const {
  const std::lock_guard lock(mutex_);
  return mostAlive_;
}

Status FakeVms::pass(Phase phase, const std::string& id, std::string event) {
  const std::lock_guard lock(mutex_);
  history_.emplace_back(id, std::move(event));
  const auto fault = faults_.find(phase);
  if (fault == faults_.end() || fault->second.first == 0) return {};
  --fault->second.first;
  return fault->second.second;
}

void FakeVms::note(const std::string& id, std::string event) {
  const std::lock_guard lock(mutex_);
  history_.emplace_back(id, std::move(event));
}

}  // namespace qm::pool
