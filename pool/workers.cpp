// The pool's own threads: one builds templates, some refill, one ends what has expired. Each takes a job from the board
// under the mutex, does it outside, and tells the board how it went.
#include <algorithm>
#include <utility>

#include "pool/inside.h"

namespace qm::pool {

void Pool::Inside::buildTemplates() {
  Lock lock(mutex_);
  while (!closing_) {
    if (const auto job = board_.nextBuild(now())) {
      lock.unlock();
      build(*job);
      lock.lock();
      continue;
    }
    wiring_.clock.waitUntil(changed_, lock, board_.nextDue(now()));
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

void Pool::Inside::refill() {
  Lock lock(mutex_);
  while (!closing_) {
    const TimePoint time = now();
    if (const auto source = board_.nextRefill(time)) {
      lock.unlock();
      refill(*source);
      lock.lock();
    } else if (blanks_.beginSpawn(time)) {
      lock.unlock();
      spawnBlank();
      lock.lock();
    } else {
      wiring_.clock.waitUntil(changed_, lock, std::min(board_.nextDue(time), blanks_.nextDue(time)));
    }
  }
}

void Pool::Inside::refill(const Source& source) {
  PhaseTimer timer(wiring_.clock);
  auto clone = restore(source, nullptr, timer);
  Lock lock(mutex_);
  if (!clone) {
    board_.refillFailed(source);
    return settle(std::move(lock), {});
  }
  if (!board_.refilled(source, *clone)) return settle(std::move(lock), {.clones = {*std::move(clone)}});
  settle(std::move(lock), {});
  wiring_.observer.cloneReady(source.recipe.name, timer.phases());
}

void Pool::Inside::spawnBlank() {
  auto blank = vms_.spawn();
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
    const std::vector<LeaseBook::Closed> expired = leases_.takeExpired(now());
    const std::vector<Image> unused = takeUnused();
    if (expired.empty() && unused.empty()) {
      wiring_.clock.waitUntil(changed_, lock, leases_.nextExpiry());
      continue;
    }
    lock.unlock();
    end(expired, LeaseEnd::expired);
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

void Pool::Inside::end(const std::vector<LeaseBook::Closed>& closed, LeaseEnd why) {
  for (const auto& [view, vm] : closed) {
    vm->end();
    wiring_.log.info("lease.ended", {{"lease", view.id}, {"why", name(why)}});
    wiring_.observer.leaseEnded(view.templateName, why);
  }
}

}  // namespace qm::pool
