// Ends VMs off the path of whoever has done with them.
//
// A VM that is handed in is killed before end() returns: no instruction of its guest runs after that, and nobody
// reaches it. What takes time (the kernel's unmapping, taking the process's end, removing its folder) a thread of this
// class does, one batch after the other: all of a batch die at once, so that to wait for one is to wait for all.
//
// Bounded: where `most` wait already, end() does the whole work on its caller's thread, which so comes back later and
// brings less. From half of it on isLagging() asks those who make VMs to hold back.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>

#include "pool/clock/clock.h"
#include "pool/vm/living_vms.h"

namespace qm::pool {

// Threads: any.
class Teardown {
 public:
  // From the kill until nothing was left of that VM, which is no longer among those waiting(). Called with no lock
  // held.
  using Told = std::function<void(std::chrono::microseconds took)>;

  // The clock outlives it.
  Teardown(const Clock& clock, std::size_t most, Told told);
  ~Teardown() { close(); }
  Teardown(const Teardown&) = delete;
  Teardown& operator=(const Teardown&) = delete;

  void end(Vm vm);
  // VMs that were killed and of which something is left.
  std::size_t waiting() const;
  bool isLagging() const { return waiting() * 2 >= most_; }
  // The next end() does the whole work.
  bool isFull() const { return waiting() >= most_; }

  // Returns when nothing waits; end() does its whole work itself from then on. Idempotent, for one thread at a time.
  void close();

 private:
  struct Dying {
    Vm vm;
    TimePoint killed;
  };

  void clear();
  std::chrono::microseconds finish(Dying dying) const;

  const Clock& clock_;
  const std::size_t most_;
  const Told told_;

  mutable std::mutex mutex_;  // protects what follows; no other lock is taken while it is held
  std::condition_variable came_;
  std::deque<Dying> dying_;
  std::size_t underWay_ = 0;  // of the batch that the thread is at
  bool closing_ = false;

  std::thread thread_;
};

}  // namespace qm::pool
