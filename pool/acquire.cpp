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
    TRY(checkTtl(request.ttl));
    if (request.wait < std::chrono::milliseconds(0) || request.wait > settings_.longestTtl) {
      return Error(Remedy::fixInput, "the time to wait for a ready clone is below 0 or too long");
    }
    Taken taken = TRY(take(request, timer));
    return grant(request, std::move(taken), timer);
  }();
  if (granted) {
    wiring_.observer.acquired(request.templateName, granted->road, granted->phases);
  } else {
    wiring_.observer.acquireFailed(request.templateName, granted.error());
  }
  return granted;
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
  work_.notify_one();  // the refill of what was taken
  lock.unlock();
  return Grant{.id = std::move(drawn.opened.view.id),
               .token = std::move(drawn.opened.token),
               .road = taken.road,
               .phases = timer.phases(),
               .expiresAt = drawn.opened.view.expiresAt};
}

Result<Taken> Pool::Inside::take(const AcquireRequest& request, PhaseTimer& timer) {
  TRY(checkTemplate(request.templateName));
  if (request.forced) return takeForced(request, *request.forced, timer);
  if (auto ready = takeReady(request, timer)) return *std::move(ready);
  // Why it was not served was told where it happened.
  auto ordered = order(request.templateName, std::nullopt, nullptr, timer);
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
  auto ordered = order(templateName, road, std::move(blank), timer);
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
      vm = board_.takeReady(name);
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
std::expected<Taken, Pool::Inside::Refusal> Pool::Inside::order(std::string_view name, std::optional<Road> forced,
                                                                Vm blank, PhaseTimer& timer) {
  Order order{.templateName = std::string(name), .since = now(), .forced = forced, .blank = std::move(blank)};
  // One may have come since the caller looked, or come before the order is in.
  for (;;) {
    if (!forced) {
      if (Vm vm = takeLiving(name)) return Taken{.vm = std::move(vm), .road = Road::ready, .phases = {}};
    }
    Lock lock(mutex_);
    if (!forced && board_.hasReady(name)) continue;
    if (closing_) return std::unexpected(Refusal{.error = {Remedy::giveUp, "the pool is shutting down"}});
    if (!board_.hasSnapshot(name)) return std::unexpected(Refusal{.error = noSnapshot(name)});
    if (orders_.count() >= settings_.longestLine) return std::unexpected(busy());
    orders_.add(order);
    work_.notify_one();
    return await(std::move(lock), order, timer);
  }
}

std::expected<Taken, Pool::Inside::Refusal> Pool::Inside::await(Lock lock, Order& order, PhaseTimer& timer) {
  const TimePoint last = order.since + settings_.longestInLine;
  while (!order.answer) {
    const bool isOver = now() >= last;
    if (isOver && orders_.withdraw(order)) return std::unexpected(busy());
    wiring_.clock.waitUntil(order.answered, lock, isOver ? TimePoint::max() : last);
  }
  lock.unlock();
  if (!order.answer->has_value()) return std::unexpected(Refusal{.error = order.answer->error()});
  timer.add((*order.answer)->phases);
  return **std::move(order.answer);
}

Pool::Inside::Refusal Pool::Inside::busy() const {
  return {.kind = Refusal::Kind::busy,
          .error = {Remedy::retry, fmt::format("the host is busy: at most {} wait for a VM to be made, at most {} ms",
                                               settings_.longestLine, settings_.longestInLine.count())}};
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
