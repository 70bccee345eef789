// What is compared: ways to have a guest run, each of which can boot one, freeze one, and restore it any number of
// times.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "bench/start/clock.h"
#include "bench/start/places.h"
#include "vmm/guest/protocol/agent_values.h"
#include "vmm/result/result.h"

namespace qm::bench {

// A guest that runs. Ended at the latest with this.
class Guest {
 public:
  Guest() = default;
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  virtual ~Guest() = default;

  // Of the VM's process on the host. Asked before the contender starts another guest.
  virtual Result<pid_t> pid() = 0;
  // Asks the agent until it answers; when it did. Once, and before run(). `pause` lies between two tries.
  virtual Result<Clock::time_point> waitForReply(std::chrono::milliseconds pause) = 0;
  virtual Result<agent::Ran> run(const agent::Run& command, Clock::time_point deadline) = 0;
  // Ends it. How many instructions it has executed; none: nobody counted.
  virtual Result<std::optional<std::uint64_t>> end() = 0;
};

class Contender {
 public:
  Contender() = default;
  Contender(const Contender&) = delete;
  Contender& operator=(const Contender&) = delete;
  virtual ~Contender() = default;

  // What its figures' names begin with, and its name for people.
  virtual std::string prefix() const = 0;
  virtual std::string title() const = 0;

  // Comes back once nothing is left to do for a guest that has ended, or for the next. Before a clock starts.
  virtual Status settle() { return {}; }
  // Asked for; the guest may not even have begun.
  virtual Result<std::unique_ptr<Guest>> boot(const Recipe& recipe) = 0;
  // Boots a guest and freezes it after its first reply, for restore().
  virtual Status prepare(const Recipe& recipe) = 0;
  virtual Result<std::unique_ptr<Guest>> restore() = 0;
};

}  // namespace qm::bench
