#include "bench/start/agent_reply.h"

namespace qm::bench {

namespace {

Status ping(const Connect& connect, Clock::time_point deadline) {
  constexpr std::uint64_t kNonce = 0x7175'6963'6b6d'6174;
  agent::AgentClient client = TRY(connect());
  const agent::Pong pong = TRY(client.ping(kNonce, deadline));
  (void)pong;
  return {};
}

}  // namespace

Result<Clock::time_point> waitForReply(const Connect& connect, const Process& process,
                                       std::chrono::milliseconds pause) {
  const Clock::time_point last = deadline();
  for (;;) {
    const Status done = ping(connect, last);
    const Clock::time_point now = Clock::now();
    if (done.has_value()) return now;
    // A connection that a restored guest resets comes as giveUp; it is tried again like one that nobody takes.
    if (now >= last) return done.error();
    if (process.waitForEnd(now + pause)) return Error(Remedy::giveUp, "the VM's process ended: " + done.error().text());
  }
}

}  // namespace qm::bench
