// The pool's own threads: one builds templates, some make clones, one ends what has expired. Each takes
// a job from the board under the mutex, does it outside, and tells the board how it went.
#include <algorithm>
#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "pool/inside.h"

namespace qm::pool {
namespace {

Error unservable(std::string_view name) {
  return {Remedy::retry, fmt::format("template {} has no usable snapshot any more", name)};
}

// What a caller waited for: all of the making when it was begun for a caller, and its end only when it was under way.
Phases phasesOf(const Order& order, const Phases& making, TimePoint begun, TimePoint now) {
  const bool sawAll = order.since <= begun;
  Phases phases;
  const auto waited = (sawAll ? begun : now) - order.since;
  phases.add(Phase::wait, std::chrono::duration_cast<std::chrono::microseconds>(waited));
  if (!sawAll) return phases;
  for (const auto& [phase, took] : making.entries()) phases.add(phase, took);
  return phases;
}

}  // namespace

void Pool::Inside::buildTemplates() {
  Lock lock(mutex_);
  while (!closing_) {
    if (const auto job = board_.nextBuild(now())) {
      lock.unlock();
      build(*job);
      lock.lock();
      continue;
    }
    wiring_.clock.waitUntil(builds_, lock, board_.nextDue(now()));
  }
}

void Pool::Inside::build(const BuildJob& job) {
  const TimePoint start = now();
  const auto progress = [&](std::string_view step) {
    wiring_.log.info("template.step", {{"template", job.recipe.name}, {"step", step}});
    const std::lock_guard lock(mutex_);
    board_.buildIsAt(job, step);
  };
  auto image = builder_.prepare(job.recipe, job.source, progress);
  if (image) learn(job.recipe, *image, progress);
  Lock lock(mutex_);
  if (image) {
    Discarded discarded = board_.built(job, std::make_shared<const TemplateImage>(*std::move(image)));
    settle(std::move(lock), std::move(discarded));
    const auto took = std::chrono::duration_cast<std::chrono::microseconds>(now() - start);
    wiring_.log.info("template.ready", {{"template", job.recipe.name}, {"us", took.count()}});
    wiring_.observer.templateBuilt(job.recipe.name, took);
    return;
  }
  if (closing_) return;  // its VM was ended under its hands
  board_.buildFailed(job, image.error(), now());
  settle(std::move(lock), {});
  wiring_.log.error("template.failed", {{"template", job.recipe.name}, {"error", image.error().text()}});
  wiring_.observer.templateFailed(job.recipe.name, image.error());
}

void Pool::Inside::learn(const Recipe& recipe, const TemplateImage& image, const Progress& progress) {
  const Status learned = trials_.learn(recipe, image, progress);
  if (learned) return;
  wiring_.log.warning("template.not_learned", {{"template", recipe.name}, {"error", learned.error().text()}});
}

void Pool::Inside::make() {
  Lock lock(mutex_);
  while (!closing_) {
    const TimePoint time = now();
    if (auto job = nextJob(time)) {
      ++making_;
      lock.unlock();
      make(*std::exchange(job, std::nullopt));
      lock.lock();
      --making_;
      if (!retired_.empty()) ends_.notify_one();  // the job may have been the last to use one
    } else if (!heldBack_ && blanks_.beginSpawn(time)) {
      ++making_;
      lock.unlock();
      spawnBlank();
      lock.lock();
      --making_;
    } else {
      wiring_.clock.waitUntil(work_, lock, std::min(board_.nextDue(time), blanks_.nextDue(time)));
    }
  }
}

// Who waits comes before those who may come, and so do VMs that were ended before those made ahead: what they hold is
// what new ones need.
std::optional<Pool::Inside::Job> Pool::Inside::nextJob(TimePoint now) {
  orders_.dropLate(now, late());
  if (auto job = nextForced()) return job;
  if (auto job = nextReset()) return job;
  if (auto job = nextOrdered()) return job;
  if (teardown_.isLagging()) heldBack_ = true;  // until tornDown()
  if (heldBack_) return std::nullopt;
  auto source = board_.nextRefill(now);
  if (!source) return std::nullopt;
  return Job{.source = *std::move(source)};
}

std::optional<Pool::Inside::Job> Pool::Inside::nextForced() {
  while (Order* order = orders_.takeForced()) {
    auto source = board_.source(order->templateName);
    if (source && source->image != nullptr) {
      return Job{.source = *std::move(source), .forced = order, .blank = std::move(order->blank)};
    }
    orders_.answer(*order, unservable(order->templateName));
  }
  return std::nullopt;
}

void Pool::Inside::refuseOrders(std::string_view name) {
  while (Order* order = orders_.first(name)) orders_.answer(*order, unservable(name));
}

std::optional<Pool::Inside::Job> Pool::Inside::nextOrdered() {
  for (const std::string& name : orders_.templates()) {
    if (!board_.hasSnapshot(name)) {
      refuseOrders(name);
    } else if (auto ordered = board_.nextOrdered(name, orders_.count(name))) {
      return Job{.source = *std::move(ordered), .blank = blanks_.take()};
    }
  }
  return std::nullopt;
}

Result<Vm> Pool::Inside::make(Job& job, PhaseTimer& timer) {
  const Source& source = job.source;
  if (job.used != nullptr) {
    auto vm = maker_.reset(source.recipe, *source.image, job.used, timer);
    if (!vm) resetFailed(source, timer.at(), vm.error());
    return vm;
  }
  auto vm = maker_.restore(source.recipe, *source.image, std::move(job.blank), timer);
  if (!vm) cloneFailed(source, timer.at(), vm.error());
  return vm;
}

void Pool::Inside::make(Job job) {
  const TimePoint begun = now();
  const Road road = job.blank != nullptr || job.used != nullptr ? Road::blank : Road::spawn;
  PhaseTimer timer(wiring_.clock);
  auto vm = make(job, timer);
  Lock lock(mutex_);
  pace_.took(std::chrono::duration_cast<std::chrono::microseconds>(now() - begun));
  if (!vm) return failed(std::move(lock), job, vm.error());
  board_.cloneWorked(job.source);
  deliver(std::move(lock), job, {.vm = *std::move(vm), .road = road, .phases = timer.phases()}, begun);
}

void Pool::Inside::deliver(Lock lock, const Job& job, Taken made, TimePoint begun) {
  const std::string& name = job.source.recipe.name;
  Order* order = job.forced != nullptr ? job.forced : orders_.first(name);
  if (order == nullptr) {
    if (!board_.refilled(job.source, made.vm)) return settle(std::move(lock), {.clones = {std::move(made.vm)}});
    ready_.notify_all();
    lock.unlock();
    wiring_.observer.cloneReady(name, made.phases);
    return;
  }
  if (job.forced == nullptr && !board_.handedOver(job.source)) {
    return settle(std::move(lock), {.clones = {std::move(made.vm)}});
  }
  made.phases = phasesOf(*order, made.phases, begun, now());
  orders_.answer(*order, std::move(made));
}

void Pool::Inside::failed(Lock lock, const Job& job, const Error& error) {
  if (job.forced != nullptr) return orders_.answer(*job.forced, error);
  board_.refillFailed(job.source);
  // A reset fails by what a tenant did: nobody else's order is the worse for it.
  Order* first = job.used != nullptr ? nullptr : orders_.first(job.source.recipe.name);
  if (first != nullptr && ++first->failures >= settings_.cloneAttempts) orders_.answer(*first, error);
  settle(std::move(lock), {});
}

void Pool::Inside::spawnBlank() {
  auto blank = vms_.spawn(VmPurpose::tenants);
  Lock lock(mutex_);
  if (blank) {
    blanks_.spawned(*std::move(blank));
    return settle(std::move(lock), {});
  }
  blanks_.spawnFailed(now());
  settle(std::move(lock), {});
  wiring_.log.warning("blank.failed", {{"error", blank.error().text()}});
}

void Pool::Inside::reap() {
  Lock lock(mutex_);
  while (!closing_) {
    std::vector<LeaseBook::Closed> expired = leases_.takeExpired(now());
    const std::vector<Image> unused = takeUnused();
    if (expired.empty() && unused.empty()) {
      reaperLooksAt_ = leases_.nextExpiry();
      wiring_.clock.waitUntil(ends_, lock, reaperLooksAt_);
      continue;
    }
    lock.unlock();
    for (LeaseBook::Closed& closed : expired) end(std::move(closed), LeaseEnd::expired);
    for (const Image& image : unused) {
      if (const Status removed = wiring_.shelf.remove(*image); !removed) {
        wiring_.log.warning("snapshot.left", {{"folder", image->folder.native()}, {"error", removed.error().text()}});
      }
    }
    lock.lock();
  }
}

// Those that only the pool still holds: nobody is restoring from them.
std::vector<Image> Pool::Inside::takeUnused() {
  const auto used =
      std::partition(retired_.begin(), retired_.end(), [](const Image& image) { return image.use_count() > 1; });
  std::vector<Image> unused(std::make_move_iterator(used), std::make_move_iterator(retired_.end()));
  retired_.erase(used, retired_.end());
  return unused;
}

void Pool::Inside::end(LeaseBook::Closed closed, LeaseEnd why) {
  retire(closed.view.templateName, std::move(closed.vm));
  wiring_.log.info("lease.ended", {{"lease", closed.view.id}, {"why", name(why)}});
  wiring_.observer.leaseEnded(closed.view.templateName, why);
}

}  // namespace qm::pool
