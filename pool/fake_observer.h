// Counts what the pool tells.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "pool/observer.h"

namespace qm::pool {

// Threads: any.
class FakeObserver final : public PoolObserver {
 public:
  void acquired(std::string_view, Road road, const Phases&) override { add("acquired " + std::string(name(road))); }
  void acquireFailed(std::string_view, const Error&) override { add("acquireFailed"); }
  void cloneFailed(std::string_view, Phase phase, const Error&) override {
    add("cloneFailed " + std::string(name(phase)));
  }
  void resetFailed(std::string_view, Phase phase, const Error&) override {
    add("resetFailed " + std::string(name(phase)));
  }
  void cloneReady(std::string_view, const Phases&) override { add("cloneReady"); }
  void missed(std::string_view, Miss miss) override { add("missed " + std::string(name(miss))); }
  void tornDown(std::chrono::microseconds) override { add("tornDown"); }
  void leaseEnded(std::string_view, LeaseEnd end) override { add("leaseEnded " + std::string(name(end))); }
  void templateBuilt(std::string_view, std::chrono::microseconds) override { add("templateBuilt"); }
  void templateFailed(std::string_view, const Error&) override { add("templateFailed"); }

  int count(const std::string& event) const {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(event);
    return found == counts_.end() ? 0 : found->second;
  }

 private:
  void add(const std::string& event) {
    const std::lock_guard lock(mutex_);
    ++counts_[event];
  }
  mutable std::mutex mutex_;
  std::map<std::string, int> counts_;
};

}  // namespace qm::pool
