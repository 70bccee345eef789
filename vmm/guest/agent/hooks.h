// A template's hooks: programs that run one after the other once the machine is renewed, so that what was warmed before
// the snapshot (a Python with its random state, say) is renewed too. The first that fails ends it. Loop thread only.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "vmm/guest/agent/program.h"
#include "vmm/guest/protocol/agent_values.h"
#include "vmm/loop/event_loop.h"

namespace qm::agent {

// A hook that takes longer has failed. The host's own deadline is usually shorter.
inline constexpr std::uint32_t kHookTimeoutMs = 30'000;

class Hooks {
 public:
  // One result for each hook, all of them successes; or which hook failed, how, and the end of what it said.
  // May destroy the Hooks: it is the last that is done with it.
  using Done = std::function<void(Result<std::vector<HookResult>>)>;

  // `cloneId` is what the hooks find as QUICKMATCH_CLONE_ID in their environment.
  Hooks(EventLoop& loop, std::vector<std::vector<std::string>> commands, const std::string& cloneId, Done done);
  // Once; `done` may be called before it returns.
  void start();

  // Whether the child was the hook that runs.
  bool collect(pid_t pid);

 private:
  void startNext();
  void onEnd(const Ran& ran);
  void finish(Result<std::vector<HookResult>> result);
  Error failure(const Ran& ran) const;

  EventLoop& loop_;
  std::vector<std::vector<std::string>> commands_;
  std::vector<std::string> env_;
  Done done_;
  std::vector<HookResult> results_;
  std::unique_ptr<Program> program_;
};

}  // namespace qm::agent
