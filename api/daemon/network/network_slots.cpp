#include "api/daemon/network/network_slots.h"

#include <chrono>
#include <utility>

namespace qm {

namespace {

// After a slot could not be made or closed; who takes one meanwhile tries himself and is told why.
constexpr std::chrono::seconds kPause{1};

}  // namespace

NetworkSlot::~NetworkSlot() {
  if (all_ == nullptr) return;
  made_.tap.close();
  all_->close(made_.number);
}

Result<FileDescriptor> NetworkSlot::openSocket(network::SlotSocket kind) const {
  return all_->spawner_.openSlotSocket(made_.number, kind);
}

NetworkSlots::NetworkSlots(const SpawnerClient& spawner, std::uint32_t ahead, Log log)
    : spawner_(spawner), ahead_(ahead), log_(std::move(log)), worker_([this] { work(); }) {}

NetworkSlots::~NetworkSlots() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_all();
}

Result<NetworkSlot> NetworkSlots::take() {
  {
    const std::lock_guard lock(mutex_);
    wanted_ = true;
    changed_.notify_all();
    if (!made_.empty()) {
      NetworkSlot slot(*this, std::move(made_.front()));
      made_.pop_front();
      return slot;
    }
  }
  return NetworkSlot(*this, TRY(spawner_.makeSlot()));
}

std::uint32_t NetworkSlots::ready() const {
  const std::lock_guard lock(mutex_);
  return static_cast<std::uint32_t>(made_.size());
}

void NetworkSlots::close(std::uint32_t slot) {
  const std::lock_guard lock(mutex_);
  used_.push_back(slot);
  changed_.notify_all();
}

// What was used goes first: it holds memory of the kernel.
void NetworkSlots::work() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return ending_ || !used_.empty() || (wanted_ && made_.size() < ahead_); });
    if (ending_) return;
    if (!used_.empty()) {
      const std::uint32_t slot = used_.back();
      used_.pop_back();
      lock.unlock();
      const Status closed = spawner_.closeSlot(slot);
      lock.lock();
      // Given up: the spawner has ended, and every slot with it.
      if (closed || closed.error().remedy() != Remedy::retry) continue;
      used_.push_back(slot);
      changed_.wait_for(lock, kPause, [this] { return ending_; });
    } else if (!makeOne(lock)) {
      changed_.wait_for(lock, kPause, [this] { return ending_; });
    }
  }
}

bool NetworkSlots::makeOne(std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  Result<SpawnerClient::MadeSlot> made = spawner_.makeSlot();
  if (!made.has_value()) log_.warning("network.slot_failed", {{"error", made.error().text()}});
  lock.lock();
  if (!made.has_value()) return false;
  made_.push_back(std::move(made).value());
  return true;
}

}  // namespace qm
