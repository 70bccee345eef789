// The reply: one round trip that the host starts and the guest's agent answers.
#pragma once

#include <chrono>
#include <functional>

#include "bench/start/clock.h"
#include "vmm/guest/client/agent_client.h"
#include "vmm/os/process.h"
#include "vmm/result/result.h"

namespace qm::bench {

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
