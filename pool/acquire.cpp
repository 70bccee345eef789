// The roads of an acquire, fastest first: a clone that is ready; one that a maker restores (workers.cpp), into a blank
// or into a process spawned for it; a boot.
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
  Lock lock(mutex_);
  if (closing_) {
    lock.unlock();
    taken.vm->end();
    return Error(Remedy::giveUp, "the pool is shutting down");
  }
  const Now when{.time = now(), .wall = wiring_.clock.wallNow()};
  LeaseBook::Opened opened = leases_.open(request.templateName, taken.road, std::move(taken.vm), request.ttl, when);
  if (when.time + request.ttl < reaperLooksAt_) ends_.notify_one();
  work_.notify_one();  // the refill of what was taken
  return Grant{.id = std::move(opened.view.id),
               .token = std::move(opened.token),
               .road = taken.road,
               .phases = timer.phases(),
               .expiresAt = opened.view.expiresAt};
}

Result<Taken> Pool::Inside::take(const AcquireRequest& request, PhaseTimer& timer) {
  TRY(source(request.templateName));
  if (request.forced) return takeForced(request, *request.forced, timer);
  if (auto ready = takeReady(request, timer)) return *std::move(ready);
  // Why it was not served was told where it happened.
  if (auto ordered = order(request.templateName, std::nullopt, nullptr, timer)) return *std::move(ordered);
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
  return order(templateName, road, std::move(blank), timer);
}

std::optional<Taken> Pool::Inside::takeReady(const AcquireRequest& request, PhaseTimer& timer) {
  Vm vm = timer.time(Phase::take, [&] {
    Lock lock(mutex_);
    return takeLiving(lock, request.templateName);
  });
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
  Lock lock(mutex_);
  while (!closing_) {
    if (Vm vm = takeLiving(lock, name)) return vm;
    if (now() >= deadline || !(forced || board_.expectsReady(name))) return nullptr;
    wiring_.clock.waitUntil(ready_, lock, deadline);
  }
  return nullptr;
}

// A process may have died while it waited to be taken: passed over, and counted. Unlocks meanwhile.
Vm Pool::Inside::takeLiving(Lock& lock, std::string_view name) {
  while (Vm vm = board_.takeReady(name)) {
    if (vm->isAlive()) return vm;
    lock.unlock();
    vm->end();
    const Error died(Remedy::giveUp, "the process of a ready clone has ended by itself");
    wiring_.log.warning("clone.died", {{"template", name}, {"vm", vm->id()}});
    wiring_.observer.cloneFailed(name, Phase::take, died);
    lock.lock();
    work_.notify_one();
  }
  return nullptr;
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
Result<Taken> Pool::Inside::order(std::string_view name, std::optional<Road> forced, Vm blank, PhaseTimer& timer) {
  Order order{.templateName = std::string(name), .since = now(), .forced = forced, .blank = std::move(blank)};
  Lock lock(mutex_);
  if (!forced) {
    // One may have come since the caller looked.
    if (Vm vm = takeLiving(lock, name)) return Taken{.vm = std::move(vm), .road = Road::ready, .phases = {}};
  }
  if (closing_) return Error(Remedy::giveUp, "the pool is shutting down");
  const auto source = board_.source(name);
  if (!source || source->image == nullptr) return noSnapshot(name);
  orders_.add(order);
  work_.notify_one();
  while (!order.answer) wiring_.clock.waitUntil(order.answered, lock, TimePoint::max());
  lock.unlock();
  if (order.answer->has_value()) timer.add((*order.answer)->phases);
  return *std::move(order.answer);
}

Result<Taken> Pool::Inside::takeBooted(std::string_view name, PhaseTimer& timer) {
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
