// Times the steps of a VM's way and remembers which one it is at, so that a failure can be put to its phase.
#pragma once

#include <chrono>

#include "pool/clock/clock.h"
#include "pool/road/phases.h"

namespace qm::pool {

class PhaseTimer {
 public:
  explicit PhaseTimer(const Clock& clock) : clock_(clock) {}

  // The step's answer; its time is kept whether it failed or not.
  template <class Step>
  auto time(Phase phase, const Step& step) {
    at_ = phase;
    const TimePoint start = clock_.now();
    auto answer = step();
    phases_.add(phase, std::chrono::duration_cast<std::chrono::microseconds>(clock_.now() - start));
    return answer;
  }

  // What somebody else timed.
  void add(const Phases& phases) {
    for (const auto& [phase, took] : phases.entries()) phases_.add(phase, took);
  }

  Phase at() const { return at_; }  // the last step begun
  const Phases& phases() const { return phases_; }

 private:
  const Clock& clock_;
  Phase at_ = Phase::take;
  Phases phases_;
};

}  // namespace qm::pool
