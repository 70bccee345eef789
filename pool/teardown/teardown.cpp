#include "pool/teardown/teardown.h"

#include <utility>

namespace qm::pool {

Teardown::Teardown(const Clock& clock, std::size_t most, Told told)
    : clock_(clock), most_(most), told_(std::move(told)), thread_([this] { clear(); }) {}

void Teardown::end(Vm vm) {
  vm->kill();
  Dying dying{.vm = std::move(vm), .killed = clock_.now()};
  {
    const std::lock_guard lock(mutex_);
    if (!closing_ && dying_.size() + underWay_ < most_) {
      dying_.push_back(std::move(dying));
      came_.notify_one();
      return;
    }
  }
  told_(finish(std::move(dying)));
}

std::size_t Teardown::waiting() const {
  const std::lock_guard lock(mutex_);
  return dying_.size() + underWay_;
}

void Teardown::close() {
  {
    const std::lock_guard lock(mutex_);
    closing_ = true;
    came_.notify_one();
  }
  if (thread_.joinable()) thread_.join();
}

void Teardown::clear() {
  std::unique_lock lock(mutex_);
  for (;;) {
    came_.wait(lock, [this] { return closing_ || !dying_.empty(); });
    if (dying_.empty()) return;
    std::deque<Dying> batch = std::exchange(dying_, {});
    underWay_ = batch.size();
    for (Dying& one : batch) {
      lock.unlock();
      const auto took = finish(std::move(one));
      lock.lock();
      --underWay_;
      lock.unlock();
      told_(took);
      lock.lock();
    }
  }
}

std::chrono::microseconds Teardown::finish(Dying dying) const {
  dying.vm->end();
  dying.vm.reset();
  return std::chrono::duration_cast<std::chrono::microseconds>(clock_.now() - dying.killed);
}

}  // namespace qm::pool
