#include "pool/inside.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

#include "pool/random/random_nonce.h"

namespace qm::pool {
namespace {

Error noSuchTemplate(std::string_view name) {
  return {Remedy::fixInput, fmt::format("there is no template {}: put its recipe first", name)};
}

}  // namespace

Pool::Inside::Inside(PoolWiring wiring, const PoolSettings& settings)
    : wiring_(std::move(wiring)),
      settings_(settings),
      vms_(wiring_.spawner),
      maker_(vms_, wiring_.clock, settings_.limits),
      trials_(vms_, maker_, wiring_.clock, settings_.limits),
      builder_(vms_, wiring_.shelf, settings_.limits),
      lineRule_{.longest = settings_.longestLine, .makers = std::max(1U, settings_.refillsAtOnce)},
      board_(settings_.cloneAttempts),
      blanks_(settings_.blanks),
      teardown_(wiring_.clock, settings_.endingAtOnce, [this](std::chrono::microseconds took) { tornDown(took); }) {
  workers_.emplace_back([this] { buildTemplates(); });
  workers_.emplace_back([this] { reap(); });
  for (std::uint32_t i = 0; i < settings_.refillsAtOnce; ++i) workers_.emplace_back([this] { make(); });
}

Result<Pool::Inside::Call> Pool::Inside::Call::begin(Inside& pool) {
  const std::lock_guard lock(pool.mutex_);
  if (pool.closing_) return Error(Remedy::giveUp, "the pool is shutting down");
  ++pool.calls_;
  return Call(pool);
}

Pool::Inside::Call::~Call() {
  if (pool_ == nullptr) return;
  const std::lock_guard lock(pool_->mutex_);
  --pool_->calls_;
  if (pool_->closing_) pool_->idle_.notify_all();
  if (!pool_->retired_.empty()) pool_->ends_.notify_one();  // this call may have been the last to use one
}

Status Pool::Inside::putTemplate(const Recipe& recipe) {
  const Call call = TRY(Call::begin(*this));
  TRY(check(recipe));
  Lock lock(mutex_);
  Discarded discarded = board_.put(recipe);
  settle(std::move(lock), std::move(discarded));
  return {};
}

std::vector<TemplateView> Pool::Inside::templates() const {
  const std::lock_guard lock(mutex_);
  std::vector<TemplateView> views;
  for (const auto& [name, entry] : board_.entries()) views.push_back({.recipe = entry.recipe, .status = entry.status});
  return views;
}

std::optional<TemplateView> Pool::Inside::findTemplate(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto found = board_.entries().find(name);
  if (found == board_.entries().end()) return std::nullopt;
  return TemplateView{.recipe = found->second.recipe, .status = found->second.status};
}

bool Pool::Inside::hasTemplate(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  return board_.has(name);
}

Status Pool::Inside::removeTemplate(std::string_view name) {
  const Call call = TRY(Call::begin(*this));
  Lock lock(mutex_);
  auto discarded = board_.remove(name);
  if (!discarded) return noSuchTemplate(name);
  settle(std::move(lock), *std::move(discarded));
  return {};
}

Status Pool::Inside::build(std::string_view name) {
  const Call call = TRY(Call::begin(*this));
  const std::lock_guard lock(mutex_);
  if (!board_.requestBuild(name)) return noSuchTemplate(name);
  builds_.notify_all();
  return {};
}

Status Pool::Inside::checkTemplate(std::string_view name) const {
  if (!hasTemplate(name)) return noSuchTemplate(name);
  return {};
}

Result<Source> Pool::Inside::source(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  auto source = board_.source(name);
  if (!source) return noSuchTemplate(name);
  return *std::move(source);
}

Access Pool::Inside::access(std::string_view id, std::string_view token) const {
  const std::lock_guard lock(mutex_);
  return leases_.access(id, token, now());
}

std::optional<LeaseView> Pool::Inside::lease(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  return leases_.view(id, now());
}

std::vector<LeaseView> Pool::Inside::leases() const {
  const std::lock_guard lock(mutex_);
  return leases_.views();
}

Status Pool::Inside::checkTtl(std::chrono::milliseconds ttl) const {
  if (ttl > std::chrono::milliseconds(0) && ttl <= settings_.longestTtl) return {};
  return Error(Remedy::fixInput,
               fmt::format("a lease's time is above 0 and at most {} seconds", settings_.longestTtl.count()));
}

Result<LeaseView> Pool::Inside::renew(std::string_view id, std::chrono::milliseconds ttl) {
  const Call call = TRY(Call::begin(*this));
  TRY(checkTtl(ttl));
  const std::lock_guard lock(mutex_);
  if (now() + ttl < reaperLooksAt_) ends_.notify_one();
  return leases_.renew(id, ttl, {.time = now(), .wall = wiring_.clock.wallNow()});
}

Status Pool::Inside::release(std::string_view id) {
  const Call call = TRY(Call::begin(*this));
  Lock lock(mutex_);
  auto closed = TRY(leases_.close(id));
  lock.unlock();
  if (!closed) return {};
  end(*std::move(closed), LeaseEnd::released);
  return {};
}

Result<Vm> Pool::Inside::leased(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  return leases_.vm(id, now());
}

Result<Reply> Pool::Inside::ping(std::string_view id) {
  const Call call = TRY(Call::begin(*this));
  const Vm vm = TRY(leased(id));
  const TimePoint start = now();
  const std::uint64_t nonce = randomNonce();
  return replyOf(TRY(vm->ping(nonce, deadlineIn(settings_.limits.reply))), nonce, start);
}

Result<Reply> Pool::Inside::replyOf(const agent::Pong& pong, std::uint64_t nonce, TimePoint start) const {
  if (pong.nonce != nonce) return Error(Remedy::giveUp, "the guest's agent answered another ping than ours");
  return Reply{.pong = pong, .roundTrip = std::chrono::duration_cast<std::chrono::microseconds>(now() - start)};
}

Result<agent::Ran> Pool::Inside::exec(std::string_view id, const agent::Run& run) {
  const Call call = TRY(Call::begin(*this));
  const Vm vm = TRY(leased(id));
  return vm->run(run, TRY(deadlineOf(run)));
}

// Without a limit of its own it ends with the VM, thus with the lease.
Result<Deadline> Pool::Inside::deadlineOf(const agent::Run& run) const {
  if (run.argv.empty()) return Error(Remedy::fixInput, "argv is empty: name a program");
  return deadlineIn(run.timeoutMs == 0 ? settings_.longestTtl
                                       : std::chrono::milliseconds(run.timeoutMs) + settings_.limits.reply);
}

Result<MemoryUse> Pool::Inside::memoryUse(std::string_view id) {
  const Call call = TRY(Call::begin(*this));
  const Vm vm = TRY(leased(id));
  return vm->memoryUse();
}

std::vector<PoolView> Pool::Inside::pools() const {
  const std::lock_guard lock(mutex_);
  std::vector<PoolView> views;
  for (const auto& [name, entry] : board_.entries()) {
    views.push_back({.templateName = name,
                     .status = entry.status,
                     .wanted = entry.recipe.poolSize,
                     .ready = static_cast<std::uint32_t>(entry.ready.size()),
                     .making = entry.making,
                     .leased = leases_.count(name)});
  }
  return views;
}

std::uint32_t Pool::Inside::blanks() const {
  const std::lock_guard lock(mutex_);
  return blanks_.count();
}

void Pool::Inside::wakeAll() {
  for (std::condition_variable* sleepers : {&work_, &builds_, &ends_, &ready_, &boots_}) sleepers->notify_all();
}

Load Pool::Inside::load() const {
  const auto ending = static_cast<std::uint32_t>(teardown_.waiting());
  const std::lock_guard lock(mutex_);
  return {.inLine = orders_.count() + bootsInLine_, .making = making_ + booting_, .ending = ending};
}

void Pool::Inside::tornDown(std::chrono::microseconds took) {
  wiring_.observer.tornDown(took);
  const std::lock_guard lock(mutex_);
  if (std::exchange(heldBack_, false)) work_.notify_all();
}

void Pool::Inside::settle(Lock lock, Discarded discarded) {
  std::ranges::move(discarded.images, std::back_inserter(retired_));
  wakeAll();
  lock.unlock();
  for (Vm& clone : discarded.clones) teardown_.end(std::move(clone));
}

void Pool::Inside::cloneFailed(const Source& source, Phase phase, const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return;  // it was ended under its maker's hands
  }
  wiring_.log.warning("clone.failed",
                      {{"template", source.recipe.name}, {"phase", name(phase)}, {"error", error.text()}});
  wiring_.observer.cloneFailed(source.recipe.name, phase, error);
  Lock lock(mutex_);
  Discarded discarded = board_.cloneFailed(source, phase, error, now());
  // At once: they would be served from the next snapshot if that is built before a maker looks at the line.
  if (!board_.hasSnapshot(source.recipe.name)) refuseOrders(source.recipe.name);
  settle(std::move(lock), std::move(discarded));
}

// Ends all VMs first: whoever waits for one is then answered soon.
void Pool::Inside::shutdown() {
  std::vector<std::thread> workers;
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    orders_.answerAll(Error(Remedy::giveUp, "the pool is shutting down"));
    wakeAll();
    workers = std::exchange(workers_, {});
  }
  vms_.close();
  for (std::thread& worker : workers) worker.join();
  Lock lock(mutex_);
  idle_.wait(lock, [this] { return calls_ == 0; });
  std::vector<LeaseBook::Closed> closed = leases_.takeAll();
  blanks_.clear();
  used_.clear();
  for (const Image& image : takeUnused()) static_cast<void>(wiring_.shelf.remove(*image));
  lock.unlock();
  for (LeaseBook::Closed& one : closed) end(std::move(one), LeaseEnd::shutdown);
  teardown_.close();
}

}  // namespace qm::pool
