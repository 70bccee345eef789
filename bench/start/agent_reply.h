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

// Connects and pings until there is an answer; answers when it came. `pause` lies between two tries.
Result<Clock::time_point> waitForReply(const Connect& connect, const Process& process, std::chrono::milliseconds pause);

}  // namespace qm::bench
