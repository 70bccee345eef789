#include "vmm/loop/event_loop.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <future>
#include <ranges>
#include <utility>

#include "vmm/result/check.h"

namespace qm {

namespace {

// epoll's data of the loop's own descriptors; watches count up from 1.
constexpr std::uint64_t kWake = ~std::uint64_t{0};
constexpr std::uint64_t kTimer = kWake - 1;

static_assert(static_cast<std::uint32_t>(Ready::readable) == EPOLLIN &&
              static_cast<std::uint32_t>(Ready::writable) == EPOLLOUT);

epoll_event eventOf(Ready interest, std::uint64_t number) {
  epoll_event event{};
  event.events = static_cast<std::uint32_t>(interest);
  event.data.u64 = number;
  return event;
}

Ready readyOf(std::uint32_t events) {
  if ((events & (EPOLLERR | EPOLLHUP)) != 0) return Ready::both;
  return static_cast<Ready>(events & static_cast<std::uint32_t>(Ready::both));
}

}  // namespace

Result<std::unique_ptr<EventLoop>> EventLoop::create() {
  FileDescriptor epoll(::epoll_create1(EPOLL_CLOEXEC));
  if (!epoll.isOpen()) return systemError("epoll_create1", errno);
  Eventfd wake = TRY(Eventfd::create());
  Timerfd timer = TRY(Timerfd::create());
  epoll_event onWake = eventOf(Ready::readable, kWake);
  epoll_event onTimer = eventOf(Ready::readable, kTimer);
  if (::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, wake.file().get(), &onWake) < 0 ||
      ::epoll_ctl(epoll.get(), EPOLL_CTL_ADD, timer.file().get(), &onTimer) < 0) {
    return systemError("epoll_ctl", errno);
  }
  return std::unique_ptr<EventLoop>(new EventLoop(std::move(epoll), std::move(wake), std::move(timer)));
}

EventLoop::EventLoop(FileDescriptor epoll, Eventfd wake, Timerfd timer)
    : epoll_(std::move(epoll)), wake_(std::move(wake)), timer_(std::move(timer)) {}

Status EventLoop::watch(const FileDescriptor& file, Ready interest, Handler handler) {
  CHECK(!byFile_.contains(file.get()));
  const std::uint64_t number = nextNumber_++;
  epoll_event event = eventOf(interest, number);
  if (::epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, file.get(), &event) < 0) return systemError("epoll_ctl add", errno);
  watches_.emplace(number, std::make_shared<Watch>(file.get(), std::move(handler)));
  byFile_.emplace(file.get(), number);
  return {};
}

void EventLoop::setInterest(const FileDescriptor& file, Ready interest) {
  const auto found = byFile_.find(file.get());
  CHECK(found != byFile_.end());
  epoll_event event = eventOf(interest, found->second);
  CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, file.get(), &event) == 0);
}

void EventLoop::unwatch(const FileDescriptor& file) {
  const auto found = byFile_.find(file.get());
  if (found == byFile_.end()) return;
  CHECK(::epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, file.get(), nullptr) == 0);
  watches_.erase(found->second);
  byFile_.erase(found);
}

std::uint64_t EventLoop::at(TimePoint deadline, Task task) {
  const std::uint64_t number = nextNumber_++;
  timers_.emplace(std::pair(deadline, number), std::move(task));
  armTimer();
  return number;
}

void EventLoop::cancel(std::uint64_t timer) {
  std::erase_if(timers_, [timer](const auto& entry) { return entry.first.second == timer; });
  armTimer();
}

void EventLoop::armTimer() {
  if (timers_.empty()) {
    timer_.disarm();
  } else {
    timer_.setDeadline(timers_.begin()->first.first);
  }
}

void EventLoop::runDue() {
  timer_.take();
  const TimePoint now = std::chrono::steady_clock::now();
  while (!timers_.empty() && timers_.begin()->first.first <= now) {
    const Task task = std::move(timers_.begin()->second);
    timers_.erase(timers_.begin());
    task();
  }
  armTimer();
}

void EventLoop::post(Task task) {
  {
    const std::lock_guard lock(mutex_);
    posted_.push_back(std::move(task));
  }
  wake_.signal();
}

void EventLoop::postAndWait(const Task& task) {
  std::promise<void> done;
  post([&] {
    task();
    done.set_value();
  });
  done.get_future().wait();
}

void EventLoop::runPosted() {
  wake_.take();
  std::vector<Task> tasks;
  {
    const std::lock_guard lock(mutex_);
    tasks.swap(posted_);
  }
  for (const Task& task : tasks) task();
}

void EventLoop::whenIdle(Task task) {
  idle_.push_back(std::move(task));
}

// A timer whose deadline is over may take the kernel a moment to tell.
void EventLoop::runIdle() {
  if (!timers_.empty() && timers_.begin()->first.first <= std::chrono::steady_clock::now()) return runDue();
  for (const Task& task : std::exchange(idle_, {})) task();
}

void EventLoop::run() {
  stopping_ = false;
  while (!stopping_) {
    std::array<epoll_event, 64> events;
    const int timeout = idle_.empty() ? -1 : 0;
    const int count = ::epoll_wait(epoll_.get(), events.data(), static_cast<int>(events.size()), timeout);
    CHECK(count >= 0 || errno == EINTR);
    if (count == 0) runIdle();
    if (observer_) observer_(Round::begins);
    serve(std::span(events).first(static_cast<std::size_t>(std::max(count, 0))));
    if (observer_) observer_(Round::ends);
  }
}

void EventLoop::serve(std::span<const epoll_event> events) {
  for (const epoll_event& event : events) {
    const std::uint64_t number = event.data.u64;  // a copy: epoll_event is packed, its fields are not aligned
    if (number == kWake) {
      runPosted();
    } else if (number == kTimer) {
      runDue();
    } else if (const auto found = watches_.find(number); found != watches_.end()) {
      // A copy: the handler may unwatch itself.
      const std::shared_ptr<Watch> watch = found->second;
      watch->handler(readyOf(event.events));
    }
  }
}

void EventLoop::stop() {
  post([this] { stopping_ = true; });
}

}  // namespace qm
