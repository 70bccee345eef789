#include "vmm/guest/agent/agent.h"

#include <utility>

namespace qm::agent {

Status Agent::serve(FileDescriptor stream) {
  if (sessions_.size() >= kMaxSessions) return Error(Remedy::retry, "too many connections to the agent");
  const std::uint64_t number = nextNumber_++;
  auto session =
      std::make_unique<Session>(loop_, machine_, std::move(stream), [this, number] { sessions_.erase(number); });
  TRY(session->start());
  sessions_.emplace(number, std::move(session));
  return {};
}

bool Agent::collect(pid_t pid) {
  // Nothing of the iteration is used after a hit: it may have ended the session.
  for (auto& [number, session] : sessions_) {
    if (session->collect(pid)) return true;
  }
  return false;
}

}  // namespace qm::agent
