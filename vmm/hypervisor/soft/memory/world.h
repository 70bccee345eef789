// Who runs and who stands still. What several vCPUs share (memory slots, who has decoded what) is changed by one thread
// while no other vCPU is between the start and the end of a block; so those who read it need no lock.
//
// A vCPU counts as running from enter() to leave(). It looks for a request at block ends (its attention flag is raised)
// and then yields. A thread that asks is itself either outside, or a running vCPU between or within instructions; in
// that case it may have to yield to another first, and must then look again at whatever it had read.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace qm::soft {

class World {
 public:
  // Raised to make a running vCPU look: its attention flag. Before any vCPU runs.
  void add(std::function<void()> raiseAttention);

  // Around a vCPU's running; enter() waits while the world stands still.
  void enter();
  void leave();
  // A running vCPU at a block's end that was asked to look.
  void yieldIfAsked();

  enum class Caller : std::uint8_t { outside, running };
  // Any thread. Runs `change` while no other vCPU runs. Within a change of its own: at once.
  template <class Change>
  void standStill(Caller caller, Change&& change) {
    const bool isOutermost = stop(caller);
    change();
    if (isOutermost) resume();
  }

 private:
  bool stop(Caller caller);
  void resume();

  std::mutex mutex_;  // protects all below; nothing else is locked inside but by `raise_`, which locks nothing
  std::condition_variable changed_;
  std::vector<std::function<void()>> raise_;
  std::uint32_t running_ = 0;
  bool isStopped_ = false;
  std::thread::id stoppedBy_;
};

}  // namespace qm::soft
