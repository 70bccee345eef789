// Processes without a guest that wait for a miss: any template's clone may be restored into one.
//
// Threads: none of its own; the pool's mutex guards it.
#pragma once

#include <cstdint>
#include <deque>
#include <utility>

#include "pool/board/backoff.h"
#include "pool/clock/clock.h"
#include "pool/vm/living_vms.h"

namespace qm::pool {

class Blanks {
 public:
  explicit Blanks(std::uint32_t wanted) : wanted_(wanted) {}

  // Null: none waits.
  Vm take() {
    if (waiting_.empty()) return nullptr;
    Vm blank = std::move(waiting_.front());
    waiting_.pop_front();
    return blank;
  }
  std::uint32_t count() const { return static_cast<std::uint32_t>(waiting_.size()); }

  // True: the caller is to spawn one and say how that went.
  bool beginSpawn(TimePoint now) {
    if (!isShort() || now < backoff_.until()) return false;
    ++making_;
    return true;
  }
  void spawned(Vm blank) {
    --making_;
    backoff_.worked();
    waiting_.push_back(std::move(blank));
  }
  void spawnFailed(TimePoint now) {
    --making_;
    backoff_.failed(now);
  }
  // When beginSpawn may answer differently by time alone.
  TimePoint nextDue(TimePoint now) const {
    return isShort() && backoff_.until() > now ? backoff_.until() : TimePoint::max();
  }
  void clear() { waiting_.clear(); }

 private:
  bool isShort() const { return waiting_.size() + making_ < wanted_; }

  std::uint32_t wanted_;
  std::uint32_t making_ = 0;
  std::deque<Vm> waiting_;
  Backoff backoff_;
};

}  // namespace qm::pool
