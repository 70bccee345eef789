// One connection to the agent: requests come in, are begun at once, and are answered in the order in which they are
// done. When the connection ends, so do the programs that were started over it. Loop thread only.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <vector>

#include "vmm/guest/agent/hooks.h"
#include "vmm/guest/agent/program.h"
#include "vmm/guest/protocol/agent_values.h"
#include "vmm/guest/protocol/frame_reader.h"
#include "vmm/loop/event_loop.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::agent {

// Programs and renewals under way over one connection; beyond it requests are refused with retry.
inline constexpr std::size_t kMaxRequestsUnderWay = 64;

// What the agent as a whole knows and can do.
struct Machine {
  std::uint64_t guestNonce = 0;
  // All of a renewal but its hooks.
  std::function<Status(const Renew&)> renew;
  // Called once the answer to Stop is with the kernel.
  std::function<void()> powerOff;
};

class Session {
 public:
  // `onEnd` may destroy the Session: it is the last that is done with it. `machine` outlives the Session.
  Session(EventLoop& loop, const Machine& machine, FileDescriptor stream, std::function<void()> onEnd);
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session();

  // Once, before anything else.
  Status start();
  // Whether the child that ended was one of this session's.
  bool collect(pid_t pid);

 private:
  // What the answer to a renewal repeats.
  struct Asked {
    std::uint64_t id = 0;
    std::uint64_t nonce = 0;
  };

  void onReady(Ready ready);
  void readRequests();
  void handleFrames();
  void handle(const Request& request);
  void handle(std::uint64_t id, const Ping& ping);
  void handle(std::uint64_t id, const Renew& renew);
  void handle(std::uint64_t id, const Run& run);
  void handle(std::uint64_t id, const Stop& stop);
  void handle(std::uint64_t id, const Refusal& refusal);
  bool isFull() const { return programs_.size() + renewals_.size() >= kMaxRequestsUnderWay; }
  void finishRun(std::uint64_t number, std::uint64_t id, Ran ran);
  void finishRenewal(std::uint64_t number, Asked asked, Result<std::vector<HookResult>> hooks);

  void reply(const Reply& reply);
  void flush();
  std::size_t backlog() const { return toSend_.size() - sent_; }
  void updateInterest();
  // Last in whatever the loop calls: what is done inside onReady is settled by onReady.
  void settle();

  EventLoop& loop_;
  const Machine& machine_;
  FileDescriptor stream_;
  std::function<void()> onEnd_;
  FrameReader frames_;
  std::vector<std::byte> toSend_;
  std::size_t sent_ = 0;
  Ready interest_ = Ready::readable;
  bool isOver_ = false;
  bool isStopping_ = false;
  bool isInHandler_ = false;
  std::chrono::steady_clock::time_point arrived_;

  std::uint64_t nextNumber_ = 0;
  std::map<std::uint64_t, std::unique_ptr<Program>> programs_;
  std::map<std::uint64_t, std::unique_ptr<Hooks>> renewals_;
};

}  // namespace qm::agent
