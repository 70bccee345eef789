// What each stretch of a VM's road took.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>
#include <utility>
#include <vector>

namespace qm::pool {

// In the order in which a VM passes them; a road leaves out those that it does not need.
enum class Phase : std::uint8_t { wait, take, spawn, boot, restore, reset, connect, warmUp, renew, ping };

constexpr std::string_view name(Phase phase) {
  switch (phase) {
    case Phase::wait:
      return "wait";
    case Phase::take:
      return "take";
    case Phase::spawn:
      return "spawn";
    case Phase::boot:
      return "boot";
    case Phase::restore:
      return "restore";
    case Phase::reset:
      return "reset";
    case Phase::connect:
      return "connect";
    case Phase::warmUp:
      return "warm_up";
    case Phase::renew:
      return "renew";
    case Phase::ping:
      return "ping";
  }
  return "unknown";
}

// A value: durations in the order in which they were spent. A phase that was tried again stands there again.
class Phases {
 public:
  using Microseconds = std::chrono::microseconds;
  using Entry = std::pair<Phase, Microseconds>;

  void add(Phase phase, Microseconds took) { entries_.emplace_back(phase, took); }
  const std::vector<Entry>& entries() const { return entries_; }

  Microseconds total() const {
    Microseconds sum{};
    for (const auto& [phase, took] : entries_) sum += took;
    return sum;
  }

  bool operator==(const Phases&) const = default;

 private:
  std::vector<Entry> entries_;
};

}  // namespace qm::pool
