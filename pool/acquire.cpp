// The roads of an acquire, fastest first: a clone that is ready; one that a maker restores (workers.cpp), into a blank
// or into a process spawned for it; a boot.
#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "pool/inside.h"

namespace qm::pool {
namespace {

Error noSnapshot(std::string_view name) {
  return {Remedy::retry, fmt::format("template {} has no usable snapshot: build it", name)};
}

Error notOpen(Road road, std::string_view name, std::string_view remedy) {
  return {Remedy::retry, fmt::format("the road {} is not open for template {}: {}", pool::name(road), name, remedy)};
}

}  // namespace

Result<Grant> Pool::Inside::acquire(const AcquireRequest& request) {
  const Call call = TRY(Call::begin(*this));
  PhaseTimer timer(wiring_.clock);
  auto granted = [&]() -> Result<Grant> {
    TRY(checkAcquire(request));
    Taken taken = TRY(take(request, timer));
    return grant(request, std::move(taken), timer);
  }();
  return told(request, std::move(granted));
}

Status Pool::Inside::checkAcquire(const AcquireRequest& request) const {
  TRY(checkTtl(request.ttl));
  for (const std::chrono::milliseconds time : {request.wait, request.patience.value_or(std::chrono::milliseconds(0))}) {
    if (time < std::chrono::milliseconds(0) || time > settings_.longestTtl) {
      return Error(Remedy::fixInput, "the time to wait for a clone is below 0 or too long");
    }
  }
  return checkTemplate(request.templateName);
}

Result<Grant> Pool::Inside::told(const AcquireRequest& request, Result<Grant> granted) {
  if (granted) {
    follow(request.templateName, granted->road, granted->phases);
  } else {
    wiring_.observer.acquireFailed(request.templateName, granted.error());
  }
  return granted;
}

void Pool::Inside::follow(std::string_view templateName, Road road, const Phases& phases) {
  wiring_.observer.acquired(templateName, road, phases);
  work_.notify_one();  // the refill of what was taken
}

Result<Grant> Pool::Inside::grant(const AcquireRequest& request, Taken taken, const PhaseTimer& timer) {
  const Now when{.time = now(), .wall = wiring_.clock.wallNow()};
  LeaseBook::Drawn drawn = LeaseBook::draw(request.templateName, taken.road, request.ttl, when);
  Lock lock(mutex_);
  if (closing_) {
    lock.unlock();
    taken.vm->end();
    return Error(Remedy::giveUp, "the pool is shutting down");
  }
  leases_.open(drawn, std::move(taken.vm));
  if (drawn.expiresAt < reaperLooksAt_) ends_.notify_one();
  lock.unlock();
  return Grant{.id = std::move(drawn.opened.view.id),
               .token = std::move(drawn.opened.token),
               .road = taken.road,
               .phases = timer.phases(),
               .expiresAt = drawn.opened.view.expiresAt};
}

Result<Taken> Pool::Inside::take(const AcquireRequest& request, PhaseTimer& timer) {
  if (request.forced) return takeForced(request, *request.forced, timer);
  if (auto ready = takeReady(request, timer)) return *std::move(ready);
  // Why it was not served was told where it happened.
  auto ordered = order(request, nullptr, timer);
  if (ordered) return *std::move(ordered);
  if (ordered.error().kind == Refusal::Kind::busy) return std::move(ordered.error().error);
  {
    const std::lock_guard lock(mutex_);
    board_.suggestBuild(request.templateName);
    builds_.notify_one();
  }
  return takeBooted(request.templateName, timer);
}

Result<Taken> Pool::Inside::takeForced(const AcquireRequest& request, Road road, PhaseTimer& timer) {
  const std::string& templateName = request.templateName;
  if (road == Road::boot) return takeBooted(templateName, timer);
  if (road == Road::ready) {
    auto ready = takeReady(request, timer);
    if (!ready) return notOpen(road, templateName, "no clone is ready; wait longer");
    return *std::move(ready);
  }
  if (TRY(source(templateName)).image == nullptr) {
    return notOpen(road, templateName, "it has no usable snapshot; build it");
  }
  Vm blank;
  if (road == Road::blank) {
    blank = timer.time(Phase::wait, [&] { return waitForBlank(now() + request.wait); });
    if (blank == nullptr) return notOpen(road, templateName, "no blank process waits; wait longer");
  }
  auto ordered = order(request, std::move(blank), timer);
  if (!ordered) return std::move(ordered.error().error);
  return *std::move(ordered);
}

std::optional<Taken> Pool::Inside::takeReady(const AcquireRequest& request, PhaseTimer& timer) {
  Vm vm = timer.time(Phase::take, [&] { return takeLiving(request.templateName); });
  if (vm == nullptr) tellMiss(request.templateName);
  if (vm == nullptr && request.wait > std::chrono::milliseconds(0)) {
    const TimePoint deadline = now() + request.wait;
    vm = timer.time(Phase::wait,
                    [&] { return waitForReady(request.templateName, deadline, request.forced.has_value()); });
  }
  if (vm == nullptr) return std::nullopt;
  return Taken{.vm = std::move(vm), .road = Road::ready, .phases = {}};
}

// Waits only where a ready clone is to be expected, unless told to all the same.
Vm Pool::Inside::waitForReady(std::string_view name, TimePoint deadline, bool forced) {
  for (;;) {
    if (Vm vm = takeLiving(name)) return vm;
    Lock lock(mutex_);
    if (closing_ || now() >= deadline || !(forced || board_.expectsReady(name))) return nullptr;
    if (board_.hasReady(name)) continue;
    wiring_.clock.waitUntil(ready_, lock, deadline);
  }
}

// A process may have died while it waited to be taken: passed over, and counted.
Vm Pool::Inside::takeLiving(std::string_view name) {
  for (;;) {
    Vm vm;
    {
      const std::lock_guard lock(mutex_);
      vm = board_.takeReady(name, now());
    }
    if (vm == nullptr || vm->isAlive()) return vm;
    const Error died(Remedy::giveUp, "the process of a ready clone has ended by itself");
    wiring_.log.warning("clone.died", {{"template", name}, {"vm", vm->id()}});
    wiring_.observer.cloneFailed(name, Phase::take, died);
    teardown_.end(std::move(vm));
    work_.notify_one();
  }
}

void Pool::Inside::tellMiss(std::string_view name) {
  Miss miss = Miss::drained;
  {
    const std::lock_guard lock(mutex_);
    miss = board_.missOf(name);
  }
  wiring_.observer.missed(name, miss);
}

Vm Pool::Inside::waitForBlank(TimePoint deadline) {
  Lock lock(mutex_);
  while (!closing_) {
    if (Vm blank = blanks_.take()) {
      work_.notify_one();
      return blank;
    }
    if (now() >= deadline) return nullptr;
    wiring_.clock.waitUntil(ready_, lock, deadline);
  }
  return nullptr;
}

// As often as attempts are allowed and the snapshot counts as usable; every failure was told by then.
std::expected<Taken, Pool::Inside::Refusal> Pool::Inside::order(const AcquireRequest& request, Vm blank,
                                                                PhaseTimer& timer) {
  const std::string& name = request.templateName;
  const TimePoint since = now();
  Order order{.templateName = name,
              .since = since,
              .until = untilOf(request, since),
              .forced = request.forced,
              .blank = std::move(blank)};
  // One may have come since the caller looked, or come before the order is in.
  for (;;) {
    if (!order.forced) {
      if (Vm vm = takeLiving(name)) return Taken{.vm = std::move(vm), .road = Road::ready, .phases = {}};
    }
    Lock lock(mutex_);
    if (!order.forced && board_.hasReady(name)) continue;
    if (auto refusal = enterLine(request, order)) return std::unexpected(*std::move(refusal));
    return await(std::move(lock), order, timer);
  }
}

std::optional<Pool::Inside::Refusal> Pool::Inside::enterLine(const AcquireRequest& request, Order& order) {
  if (closing_) return Refusal{.error = {Remedy::giveUp, "the pool is shutting down"}};
  if (!board_.hasSnapshot(order.templateName)) return Refusal{.error = noSnapshot(order.templateName)};
  const std::chrono::milliseconds patience = request.patience.value_or(settings_.longestExpected);
  if (!lineRule_.admits(orders_.count(), pace_, patience)) return busy();
  orders_.add(order);
  work_.notify_one();
  return std::nullopt;
}

std::expected<Taken, Pool::Inside::Refusal> Pool::Inside::await(Lock lock, Order& order, PhaseTimer& timer) {
  while (!order.answer) {
    const bool isOver = now() >= order.until;
    if (isOver && orders_.withdraw(order))
      return std::unexpected(Refusal{.kind = Refusal::Kind::busy, .error = late()});
    wiring_.clock.waitUntil(order.answered, lock, isOver ? TimePoint::max() : order.until);
  }
  lock.unlock();
  if (!order.answer->has_value()) return std::unexpected(refusalOf(order));
  timer.add((*order.answer)->phases);
  return **std::move(order.answer);
}

// Dropped as late by a maker is as withdrawn by oneself.
Pool::Inside::Refusal Pool::Inside::refusalOf(const Order& order) const {
  const bool isLate = now() >= order.until;
  return {.kind = isLate ? Refusal::Kind::busy : Refusal::Kind::unservable, .error = order.answer->error()};
}

Pool::Inside::Refusal Pool::Inside::busy() const {
  const auto wait = pace_.until(orders_.count(), lineRule_.makers);
  return {
      .kind = Refusal::Kind::busy,
      .error = {Remedy::retry,
                fmt::format("the host is busy: {} wait for a VM to be made; one more would wait {} ms, at {} us for "
                            "each by {} makers, and where that is longer than its patience, or {} wait, it is refused",
                            orders_.count(), std::chrono::duration_cast<std::chrono::milliseconds>(wait).count(),
                            pace_.mean().count(), lineRule_.makers, lineRule_.longest)}};
}

Error Pool::Inside::late() const {
  return {Remedy::retry, "the host is busy: no VM was made within the caller's patience"};
}

// A boot takes a core far longer than a restore: as many at once as clones are made, and the rest waits.
Result<Pool::Inside::BootPlace> Pool::Inside::BootPlace::take(Inside& pool, PhaseTimer& timer) {
  const std::uint32_t places = std::max(1U, pool.settings_.refillsAtOnce);
  Lock lock(pool.mutex_);
  const auto isFree = [&] { return pool.booting_ < places; };
  if (!isFree()) {
    if (pool.orders_.count() + pool.bootsInLine_ >= pool.settings_.longestLine) return pool.busy().error;
    ++pool.bootsInLine_;
    const TimePoint last = pool.now() + pool.settings_.limits.boot;
    timer.time(Phase::wait, [&] {
      while (!pool.closing_ && !isFree() && pool.now() < last) {
        pool.wiring_.clock.waitUntil(pool.boots_, lock, last);
      }
      return isFree();
    });
    --pool.bootsInLine_;
  }
  if (pool.closing_) return Error(Remedy::giveUp, "the pool is shutting down");
  if (!isFree()) return Error(Remedy::retry, "the host is busy: no place to boot a VM became free in time");
  ++pool.booting_;
  return BootPlace(pool);
}

Pool::Inside::BootPlace::~BootPlace() {
  if (pool_ == nullptr) return;
  const std::lock_guard lock(pool_->mutex_);
  --pool_->booting_;
  pool_->boots_.notify_one();
}

Result<Taken> Pool::Inside::takeBooted(std::string_view name, PhaseTimer& timer) {
  const BootPlace place = TRY(BootPlace::take(*this, timer));
  Source source = TRY(this->source(name));
  auto vm = maker_.boot(source.recipe, timer);
  if (!vm) {
    source.image = nullptr;  // a boot says nothing of the snapshot
    source.generation = 0;   // no template's
    cloneFailed(source, timer.at(), vm.error());
    return std::move(vm).error();
  }
  return Taken{.vm = *std::move(vm), .road = Road::boot, .phases = {}};
}

}  // namespace qm::pool
