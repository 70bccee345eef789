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
#include "vmm/guest/client/agent_client.h"
#include "vmm/result/result.h"

namespace qm::bench {

// Between two tries to reach an agent. A booting guest is asked less often, so that asking takes nothing from it.
inline constexpr std::chrono::milliseconds kBootPause{2};
inline constexpr std::chrono::milliseconds kRestorePause{1};

// A guest that runs. Killed and reaped at the latest with this.
class Guest {
 public:
  Guest() = default;
  Guest(const Guest&) = delete;
  Guest& operator=(const Guest&) = delete;
  virtual ~Guest() = default;

  // Of the process on the host.
  virtual pid_t pid() const = 0;
  // Connects to the agent and pings it until it answers; when it did. Once, and before agent().
  virtual Result<Clock::time_point> waitForReply(std::chrono::milliseconds pause) = 0;
  virtual agent::AgentClient& agent() = 0;
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

  // The process is started; the guest may not even have begun.
  virtual Result<std::unique_ptr<Guest>> boot(const Recipe& recipe) = 0;
  // Boots a guest and freezes it after its first reply, for restore().
  virtual Status prepare(const Recipe& recipe) = 0;
  virtual Result<std::unique_ptr<Guest>> restore() = 0;
};

}  // namespace qm::bench
