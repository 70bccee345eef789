#include "tests/differ/watchdog.h"

namespace qm::differ {

Watchdog::Watchdog(Vcpu& vcpu, std::chrono::milliseconds patience)
    : vcpu_(vcpu), patience_(patience), thread_([this](const std::stop_token& end) { watch(end); }) {}

Watchdog::~Watchdog() {
  thread_.request_stop();
  thread_.join();
}

void Watchdog::start() {
  {
    const std::lock_guard lock(mutex_);
    running_ = true;
    bitten_ = false;
    ++round_;
  }
  // Wakes the thread only where it waits for a first round: it looks at `round_` when its patience ends.
  changed_.notify_one();
}

bool Watchdog::stop() {
  const std::lock_guard lock(mutex_);
  running_ = false;
  return bitten_;
}

// A round that is still running after `patience_` is kicked, and again until it ends: a kick is lost on a vCPU that the
// backend does not look for them in.
void Watchdog::watch(const std::stop_token& end) {
  std::unique_lock lock(mutex_);
  while (!end.stop_requested()) {
    if (!changed_.wait(lock, end, [this] { return running_; })) return;
    const std::uint64_t round = round_;
    changed_.wait_for(lock, end, patience_, [&] { return false; });
    while (running_ && round_ == round && !end.stop_requested()) {
      bitten_ = true;
      vcpu_.kick();
      changed_.wait_for(lock, end, std::chrono::milliseconds(100), [&] { return false; });
    }
  }
}

}  // namespace qm::differ
