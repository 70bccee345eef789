// One thread that waits for descriptors, deadlines and tasks (epoll). Everything it calls runs on the thread in run(),
// one after the other: what is touched only from here needs no lock.
#pragma once

#include <sys/epoll.h>

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "vmm/os/eventfd.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/os/timerfd.h"
#include "vmm/result/result.h"

namespace qm {

enum class Ready : std::uint32_t {
  none = 0,
  readable = 1,
  writable = 4,  // EPOLLOUT's value; hang-up and error count as both
  both = 5,
};
constexpr bool has(Ready set, Ready one) {
  return (static_cast<std::uint32_t>(set) & static_cast<std::uint32_t>(one)) != 0;
}

class EventLoop {
 public:
  using Handler = std::function<void(Ready)>;
  using Task = std::function<void()>;
  using TimePoint = std::chrono::steady_clock::time_point;

  static Result<std::unique_ptr<EventLoop>> create();
  EventLoop(const EventLoop&) = delete;
  EventLoop& operator=(const EventLoop&) = delete;

  // Loop thread (or before run()). Level-triggered. `file` stays the caller's, who unwatches it before closing it.
  // Inside a handler any descriptor may be watched or unwatched, its own too.
  Status watch(const FileDescriptor& file, Ready interest, Handler handler);
  void setInterest(const FileDescriptor& file, Ready interest);
  void unwatch(const FileDescriptor& file);

  // Loop thread. Calls `task` once at or after the deadline. The number cancels it; 0 is never given out.
  std::uint64_t at(TimePoint deadline, Task task);
  void cancel(std::uint64_t timer);

  // Any thread: runs `task` on the loop thread, in the order posted.
  void post(Task task);
  // Any thread but the loop's: posts and waits until it ran. The loop must be running.
  void postAndWait(const Task& task);

  // Loop thread: runs `task` once nothing else is to be done: no descriptor is ready, no timer due, no task posted.
  void whenIdle(Task task);

  // Before run(). Called on the loop's thread as each round of work begins and as it ends.
  enum class Round : std::uint8_t { begins, ends };
  void observeRounds(std::function<void(Round)> observer) { observer_ = std::move(observer); }

  // Until stop(); handlers of one round run in any order.
  void run();
  // Any thread. Tasks posted before still run.
  void stop();

 private:
  EventLoop(FileDescriptor epoll, Eventfd wake, Timerfd timer);
  void serve(std::span<const epoll_event> events);
  void runPosted();
  void runDue();
  void runIdle();
  void armTimer();

  struct Watch {
    int file;
    Handler handler;
  };
  FileDescriptor epoll_;
  Eventfd wake_;
  Timerfd timer_;
  // Keyed by a number that is never reused, so an event of a descriptor that was closed and reopened in the same round
  // reaches nobody.
  std::map<std::uint64_t, std::shared_ptr<Watch>> watches_;
  std::map<int, std::uint64_t> byFile_;
  std::uint64_t nextNumber_ = 1;
  std::map<std::pair<TimePoint, std::uint64_t>, Task> timers_;
  std::vector<Task> idle_;  // wait for a turn in which nothing is to be done
  std::function<void(Round)> observer_;
  bool stopping_ = false;

  std::mutex mutex_;  // protects posted_; held for no call
  std::vector<Task> posted_;
};

}  // namespace qm
