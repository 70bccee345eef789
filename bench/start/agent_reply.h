// The reply: one round trip that the host starts and the guest's agent answers.
#pragma once

#include <chrono>
#include <functional>

#include "bench/start/clock.h"
#include "vmm/guest/client/agent_client.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"

namespace qm::bench {

// Between two tries to reach an agent. A booting guest is asked less often, so that asking takes nothing from it.
inline constexpr std::chrono::milliseconds kBootPause{2};
inline constexpr std::chrono::milliseconds kRestorePause{1};

// One try to reach the agent; retry while it is not there yet.
using Connect = std::function<Result<agent::AgentClient>()>;

// When the agent's first answer came, and the connection over which it did.
struct FirstReply {
  Clock::time_point time;
  agent::AgentClient agent;
};

// Connects and pings until there is an answer. `pause` lies between two tries.
Result<FirstReply> waitForFirstReply(const Connect& connect, const Process& process, std::chrono::milliseconds pause);

}  // namespace qm::bench
