// Whom the pool tells what happened, so that somebody else can count it. The pool knows no metrics.
#pragma once

#include <chrono>
#include <string_view>

#include "pool/lease/lease.h"
#include "pool/road/miss.h"
#include "pool/road/phases.h"
#include "pool/road/road.h"
#include "vmm/result/error.h"

namespace qm::pool {

// Threads: called from any of the pool's and its callers' threads, also at once, with no lock held. Must not call the
// pool back and must be quick.
class PoolObserver {
 public:
  virtual ~PoolObserver() = default;
  // A lease was granted; `phases` is what its acquire took, its total included.
  virtual void acquired(std::string_view templateName, Road road, const Phases& phases) = 0;
  virtual void acquireFailed(std::string_view templateName, const Error& error) = 0;
  // A VM that was to become a clone failed in `phase` and was destroyed.
  virtual void cloneFailed(std::string_view templateName, Phase phase, const Error& error) = 0;
  // A VM that a tenant had done with was to become a clone again, failed in `phase` and was destroyed.
  virtual void resetFailed(std::string_view templateName, Phase phase, const Error& error) = 0;
  // A clone was added to the ready ones.
  virtual void cloneReady(std::string_view templateName, const Phases& phases) = 0;
  // Told once for an acquire, at its first look; a forced road other than `ready` looks for none.
  virtual void missed(std::string_view templateName, Miss miss) = 0;
  virtual void leaseEnded(std::string_view templateName, LeaseEnd end) = 0;
  // Of a VM that was ended nothing is left, `took` after it was killed.
  virtual void tornDown(std::chrono::microseconds took) = 0;
  virtual void templateBuilt(std::string_view templateName, std::chrono::microseconds took) = 0;
  virtual void templateFailed(std::string_view templateName, const Error& error) = 0;
};

// For whoever has nobody to tell.
class SilentObserver final : public PoolObserver {
 public:
  void acquired(std::string_view, Road, const Phases&) override {}
  void acquireFailed(std::string_view, const Error&) override {}
  void cloneFailed(std::string_view, Phase, const Error&) override {}
  void resetFailed(std::string_view, Phase, const Error&) override {}
  void cloneReady(std::string_view, const Phases&) override {}
  void missed(std::string_view, Miss) override {}
  void leaseEnded(std::string_view, LeaseEnd) override {}
  void tornDown(std::chrono::microseconds) override {}
  void templateBuilt(std::string_view, std::chrono::microseconds) override {}
  void templateFailed(std::string_view, const Error&) override {}
};

}  // namespace qm::pool
