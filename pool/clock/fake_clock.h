// A clock that stands until it is told to go on.
#pragma once

#include <mutex>

#include "pool/clock/clock.h"

namespace qm::pool {

// Threads: any.
class FakeClock final : public Clock {
 public:
  TimePoint now() const override {
    const std::lock_guard lock(mutex_);
    return TimePoint() + passed_;
  }
  WallTime wallNow() const override {
    const std::lock_guard lock(mutex_);
    return WallTime(std::chrono::hours(24 * 20'000)) + passed_;  // a day in 2024
  }
  // Looks again every millisecond of real time: nobody has to be told that the clock was advanced.
  void waitUntil(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, TimePoint) override {
    condition.wait_for(lock, std::chrono::milliseconds(1));
  }

  void advance(std::chrono::milliseconds by) {
    const std::lock_guard lock(mutex_);
    passed_ += by;
  }

 private:
  mutable std::mutex mutex_;
  std::chrono::milliseconds passed_ = std::chrono::hours(1);
};

}  // namespace qm::pool
