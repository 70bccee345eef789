#include "bench/start/agent_reply.h"

namespace qm::bench {

namespace {

Result<FirstReply> ping(const Connect& connect, Clock::time_point deadline) {
  constexpr std::uint64_t kNonce = 0x7175'6963'6b6d'6174;
  agent::AgentClient client = TRY(connect());
  const agent::Pong pong = TRY(client.ping(kNonce, deadline));
  (void)pong;
  return FirstReply{.time = Clock::now(), .agent = std::move(client)};
}

}  // namespace

Result<FirstReply> waitForFirstReply(const Connect& connect, const Process& process, std::chrono::milliseconds pause) {
  const Clock::time_point last = deadline();
  for (;;) {
    Result<FirstReply> reply = ping(connect, last);
    if (reply.has_value()) return reply;
    const Clock::time_point now = Clock::now();
    // A connection that a restored guest resets comes as giveUp; it is tried again like one that nobody takes.
    if (now >= last) return reply;
    if (process.waitForEnd(now + pause))
      return Error(Remedy::giveUp, "the VM's process ended: " + reply.error().text());
  }
}

}  // namespace qm::bench
