// Kicks a vCPU that runs for too long.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <thread>

#include "vmm/hypervisor/hypervisor.h"

namespace qm::differ {

class Watchdog {
 public:
  // `vcpu` outlives the Watchdog.
  Watchdog(Vcpu& vcpu, std::chrono::milliseconds patience);
  Watchdog(const Watchdog&) = delete;
  Watchdog& operator=(const Watchdog&) = delete;
  ~Watchdog();

  void start();
  // Whether the vCPU took too long.
  bool stop();

 private:
  void watch(const std::stop_token& end);

  Vcpu& vcpu_;
  std::chrono::milliseconds patience_;
  std::mutex mutex_;  // protects the next three
  std::condition_variable_any changed_;
  bool running_ = false;
  bool bitten_ = false;
  std::uint64_t round_ = 0;
  std::jthread thread_;  // ends before the rest does
};

}  // namespace qm::differ
