// What becomes of a VM that a tenant has done with: where its template allows it, a maker (workers.cpp) makes a clone
// of it again; else, and whenever anything fails, it ends.
#include <utility>

#include "pool/inside.h"

namespace qm::pool {

void Pool::Inside::retire(std::string_view templateName, Vm vm) {
  std::optional<Source> source;
  {
    const std::lock_guard lock(mutex_);
    if (!closing_) source = board_.nextReset(templateName, vm->snapshot(), orders_.count(templateName));
  }
  if (!source) return teardown_.end(std::move(vm));
  auto reclaimed = vms_.reclaim(*vm);
  if (!reclaimed) {
    resetFailed(*source, Phase::take, reclaimed.error());
    teardown_.end(std::move(vm));
    Lock lock(mutex_);
    board_.refillFailed(*source);
    return settle(std::move(lock), {});
  }
  const std::lock_guard lock(mutex_);
  used_.push_back({.source = *std::move(source), .vm = *std::move(reclaimed)});
  work_.notify_one();
}

// Before what is made for callers who wait: it serves them as well, and sooner.
std::optional<Pool::Inside::Job> Pool::Inside::nextReset() {
  if (used_.empty()) return std::nullopt;
  Used used = std::move(used_.front());
  used_.pop_front();
  return Job{.source = std::move(used.source), .used = std::move(used.vm)};
}

// Says nothing of the snapshot: a tenant decides what it finds in its way.
void Pool::Inside::resetFailed(const Source& source, Phase phase, const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (closing_) return;  // it was ended under its maker's hands
  }
  wiring_.log.warning("reset.failed",
                      {{"template", source.recipe.name}, {"phase", name(phase)}, {"error", error.text()}});
  wiring_.observer.resetFailed(source.recipe.name, phase, error);
}

}  // namespace qm::pool
