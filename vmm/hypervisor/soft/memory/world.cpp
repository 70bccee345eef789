#include "vmm/hypervisor/soft/memory/world.h"

#include <utility>

namespace qm::soft {

void World::add(std::function<void()> raiseAttention) {
  const std::lock_guard lock(mutex_);
  raise_.push_back(std::move(raiseAttention));
}

void World::enter() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return !isStopped_; });
  ++running_;
}

void World::leave() {
  {
    const std::lock_guard lock(mutex_);
    --running_;
    if (!isStopped_) return;
  }
  changed_.notify_all();
}

void World::yieldIfAsked() {
  std::unique_lock lock(mutex_);
  if (!isStopped_) return;
  --running_;
  changed_.notify_all();
  changed_.wait(lock, [this] { return !isStopped_; });
  ++running_;
}

bool World::stop(Caller caller) {
  const std::uint32_t self = caller == Caller::running ? 1 : 0;
  std::unique_lock lock(mutex_);
  if (isStopped_ && stoppedBy_ == std::this_thread::get_id()) return false;
  if (isStopped_) {
    running_ -= self;
    changed_.notify_all();
    changed_.wait(lock, [this] { return !isStopped_; });
    running_ += self;
  }
  isStopped_ = true;
  stoppedBy_ = std::this_thread::get_id();
  if (running_ == self) return true;
  for (const auto& raise : raise_) raise();
  changed_.wait(lock, [&] { return running_ == self; });
  return true;
}

void World::resume() {
  {
    const std::lock_guard lock(mutex_);
    isStopped_ = false;
  }
  changed_.notify_all();
}

}  // namespace qm::soft
