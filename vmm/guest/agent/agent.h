// The agent's core: serves any number of connected streams, whatever carries them. What it does to the machine it is
// handed (session.h, Machine), so that a test serves a socket pair on the host. Loop thread only.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <map>
#include <memory>

#include "vmm/guest/agent/session.h"
#include "vmm/loop/event_loop.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::agent {

// Connections at once; one more is closed at once.
inline constexpr std::size_t kMaxSessions = 64;

class Agent {
 public:
  Agent(EventLoop& loop, Machine machine) : loop_(loop), machine_(std::move(machine)) {}

  // retry: there are too many.
  Status serve(FileDescriptor stream);
  // A child has ended: whether it was one of ours; then it is reaped.
  bool collect(pid_t pid);

 private:
  EventLoop& loop_;
  const Machine machine_;
  std::uint64_t nextNumber_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Session>> sessions_;
};

}  // namespace qm::agent
