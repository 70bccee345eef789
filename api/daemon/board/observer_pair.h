// One after the other, the same.
#pragma once

#include "pool/observer.h"

namespace qm {

class ObserverPair final : public pool::PoolObserver {
 public:
  // Both outlive it.
  ObserverPair(PoolObserver& first, PoolObserver& second) : first_(first), second_(second) {}

  void acquired(std::string_view templateName, pool::Road road, const pool::Phases& phases) override {
    first_.acquired(templateName, road, phases);
    second_.acquired(templateName, road, phases);
  }
  void acquireFailed(std::string_view templateName, const Error& error) override {
    first_.acquireFailed(templateName, error);
    second_.acquireFailed(templateName, error);
  }
  void cloneFailed(std::string_view templateName, pool::Phase phase, const Error& error) override {
    first_.cloneFailed(templateName, phase, error);
    second_.cloneFailed(templateName, phase, error);
  }
  void cloneReady(std::string_view templateName, const pool::Phases& phases) override {
    first_.cloneReady(templateName, phases);
    second_.cloneReady(templateName, phases);
  }
  void resetFailed(std::string_view templateName, pool::Phase phase, const Error& error) override {
    first_.resetFailed(templateName, phase, error);
    second_.resetFailed(templateName, phase, error);
  }
  void missed(std::string_view templateName, pool::Miss miss) override {
    first_.missed(templateName, miss);
    second_.missed(templateName, miss);
  }
  void leaseEnded(std::string_view templateName, pool::LeaseEnd end) override {
    first_.leaseEnded(templateName, end);
    second_.leaseEnded(templateName, end);
  }
  void tornDown(std::chrono::microseconds took) override {
    first_.tornDown(took);
    second_.tornDown(took);
  }
  void templateBuilt(std::string_view templateName, std::chrono::microseconds took) override {
    first_.templateBuilt(templateName, took);
    second_.templateBuilt(templateName, took);
  }
  void templateFailed(std::string_view templateName, const Error& error) override {
    first_.templateFailed(templateName, error);
    second_.templateFailed(templateName, error);
  }

 private:
  PoolObserver& first_;
  PoolObserver& second_;
};

}  // namespace qm
