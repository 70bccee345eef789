#include "bench/load/generator.h"

#include <sys/epoll.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <deque>
#include <optional>

#include <fmt/format.h>

#include "bench/load/conversation.h"
#include "bench/load/epoll.h"
#include "bench/start/clock.h"
#include "vmm/os/timerfd.h"
#include "vmm/result/check.h"

namespace qm::bench {

namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

constexpr std::uint64_t kTimer = UINT64_MAX;
// How often requests that take too long are looked for, and connections that could not be made are tried again.
constexpr milliseconds kTick{20};
// The daemon closes a connection that was idle for 30 s.
constexpr nanoseconds kLongestIdle = std::chrono::seconds(20);

nanoseconds threadCpu() {
  rusage usage{};
  CHECK(::getrusage(RUSAGE_THREAD, &usage) == 0);
  const auto of = [](const timeval& time) {
    return std::chrono::seconds(time.tv_sec) + std::chrono::microseconds(time.tv_usec);
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

class Generator {
 public:
  static Result<Generator> create(const LoadSettings& settings) {
    TRY(check(settings.arrivals));
    Epoll epoll = TRY(Epoll::create());
    Timerfd timer = TRY(Timerfd::create());
    TRY(epoll.watch(timer.file(), kTimer));
    Generator generator(settings, std::move(epoll), std::move(timer));
    // The daemon must be there; this connection serves the first request.
    const std::size_t first = TRY(generator.connect());
    generator.idle_.push_back(first);
    return generator;
  }

  Result<LoadRun> run() {
    const nanoseconds before = threadCpu();
    start_ = Clock::now();
    for (std::uint32_t client = 0; isClosed() && client < settings_.arrivals.clients; ++client) arrive(now());
    while (!isDone()) TRY(turn());
    run_.wall = now();
    run_.cpu = threadCpu() - before;
    run_.records.assign(std::make_move_iterator(records_.begin()), std::make_move_iterator(records_.end()));
    return std::move(run_);
  }

 private:
  Generator(const LoadSettings& settings, Epoll epoll, Timerfd timer)
      : settings_(settings),
        acquire_(acquireMessage(settings.wish)),
        starts_(schedule(settings.arrivals)),
        epoll_(std::move(epoll)),
        timer_(std::move(timer)) {}

  bool isClosed() const { return settings_.arrivals.pattern == Pattern::closed; }
  nanoseconds now() const { return Clock::now() - start_; }
  bool isDone() const {
    const bool arriving = isClosed() ? now() < settings_.arrivals.duration : arrived_ < starts_.size();
    return !arriving && underWay_ == 0 && waiting_.empty() && moment_ == settings_.moments.size();
  }

  Status turn() {
    timer_.setDeadline(start_ + nextTime());
    std::array<epoll_event, 256> room;
    for (const epoll_event& event : TRY(epoll_.wait(room, kTick))) {
      if (event.data.u64 == kTimer) {
        timer_.take();
      } else {
        hear(static_cast<std::size_t>(event.data.u64));
      }
      startDue();  // also amid a long row of answers: a request's time is its time
    }
    startDue();
    if (now() - lastTick_ >= kTick) tick();
    return {};
  }

  nanoseconds nextTime() const {
    nanoseconds next = now() + kTick;
    if (arrived_ < starts_.size()) next = std::min(next, starts_[arrived_]);
    if (moment_ < settings_.moments.size()) next = std::min(next, settings_.moments[moment_].at);
    return next;
  }

  void startDue() {
    while (moment_ < settings_.moments.size() && settings_.moments[moment_].at <= now())
      settings_.moments[moment_++].act();
    while (arrived_ < starts_.size() && starts_[arrived_] <= now()) arrive(starts_[arrived_++]);
  }

  void arrive(nanoseconds scheduled) {
    records_.push_back({.scheduled = scheduled});
    waiting_.push_back(records_.size() - 1);
    sendWaiting();
  }

  // Those for which there is no connection stay, and are tried again at the next tick: they are late, and that counts.
  void sendWaiting() {
    while (!waiting_.empty()) {
      const std::optional<std::size_t> free = freeConversation();
      if (!free) return;
      const std::size_t number = waiting_.front();
      waiting_.pop_front();
      ++underWay_;
      run_.mostUnderWay = std::max(run_.mostUnderWay, underWay_);
      conversation(*free).begin({settings_.wish.what, acquire_, fmt::format("qm-{}", number)}, records_[number], now());
      if (!conversation(*free).isUnderWay()) settle(*free);
    }
  }

  std::optional<std::size_t> freeConversation() {
    while (!idle_.empty()) {
      const std::size_t last = idle_.back();
      idle_.pop_back();
      if (now() - conversation(last).idleSince() < kLongestIdle) return last;
      close(last);
    }
    const Result<std::size_t> made = connect();
    if (!made.has_value()) return std::nullopt;
    return *made;
  }

  Result<std::size_t> connect() {
    Conversation made = TRY(Conversation::open(settings_.socket));
    std::size_t slot = conversations_.size();
    if (!empty_.empty()) {
      slot = empty_.back();
      empty_.pop_back();
    } else {
      conversations_.emplace_back();
    }
    TRY(epoll_.watch(made.file(), slot));
    conversations_[slot] = std::move(made);
    return slot;
  }

  void hear(std::size_t slot) {
    if (!conversations_[slot]) return;  // closed by what was heard before it in the same row
    Conversation& one = conversation(slot);
    const bool wasUnderWay = one.isUnderWay();
    one.read(now());
    if (wasUnderWay && !one.isUnderWay()) settle(slot);
    if (!wasUnderWay && !one.isUsable()) {
      std::erase(idle_, slot);
      close(slot);
    }
  }

  // After a request's end.
  void settle(std::size_t slot) {
    --underWay_;
    if (conversation(slot).isUsable()) {
      idle_.push_back(slot);
    } else {
      close(slot);
    }
    if (isClosed() && now() < settings_.arrivals.duration) arrive(now());
  }

  void close(std::size_t slot) {
    conversations_[slot].reset();
    empty_.push_back(slot);
  }

  void tick() {
    lastTick_ = now();
    for (std::size_t slot = 0; slot < conversations_.size(); ++slot) {
      if (!conversations_[slot] || !conversation(slot).isUnderWay()) continue;
      if (now() - conversation(slot).record().scheduled <= settings_.patience) continue;
      conversation(slot).fail("no end within the patience");
      settle(slot);
    }
    while (!waiting_.empty() && now() - records_[waiting_.front()].scheduled > settings_.patience) {
      records_[waiting_.front()].failure = "no connection within the patience";
      waiting_.pop_front();
    }
    sendWaiting();
  }

  Conversation& conversation(std::size_t slot) { return *conversations_[slot]; }
  const Conversation& conversation(std::size_t slot) const { return *conversations_[slot]; }

  const LoadSettings& settings_;
  // The same for each request, and written before the first: what it takes to write one is nothing that a request waits
  // for (0.1 ms where the caches are cold).
  const std::string acquire_;
  std::vector<nanoseconds> starts_;
  Epoll epoll_;
  Timerfd timer_;
  Clock::time_point start_;
  std::size_t arrived_ = 0, moment_ = 0, underWay_ = 0;
  nanoseconds lastTick_{};
  std::deque<RequestRecord> records_;  // a deque: conversations refer to them while more come
  std::deque<std::size_t> waiting_;    // for a connection, by number
  std::vector<std::optional<Conversation>> conversations_;
  std::vector<std::size_t> idle_, empty_;  // slots
  LoadRun run_;
};

}  // namespace

Result<LoadRun> runLoad(const LoadSettings& settings) {
  Generator generator = TRY(Generator::create(settings));
  return generator.run();
}

}  // namespace qm::bench
