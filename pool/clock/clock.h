// Time as the pool sees it, behind an interface so that tests can let a lease expire without waiting.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>

namespace qm::pool {

using TimePoint = std::chrono::steady_clock::time_point;  // durations and deadlines
using WallTime = std::chrono::system_clock::time_point;   // what guests and clients are told

// Threads: every function may be called from any.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual TimePoint now() const = 0;
  virtual WallTime wallNow() const = 0;
  // Waits on `condition` until it is notified or `deadline` has come. May return early: callers check and come back.
  virtual void waitUntil(std::condition_variable& condition, std::unique_lock<std::mutex>& lock,
                         TimePoint deadline) = 0;
};

class SystemClock final : public Clock {
 public:
  TimePoint now() const override { return std::chrono::steady_clock::now(); }
  WallTime wallNow() const override { return std::chrono::system_clock::now(); }
  void waitUntil(std::condition_variable& condition, std::unique_lock<std::mutex>& lock, TimePoint deadline) override {
    // condition_variable's own wait_until overflows at time_point::max().
    if (deadline == TimePoint::max()) {
      condition.wait(lock);
    } else {
      condition.wait_until(lock, deadline);
    }
  }
};

}  // namespace qm::pool
