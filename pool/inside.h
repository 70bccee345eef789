// What stands behind Pool: the shared state with its one mutex, the callers' roads (acquire.cpp, and begin.cpp for
// those who do not wait), the workers (workers.cpp) and what becomes of used VMs (resets.cpp). Nothing slow happens
// while the mutex is held: VMs are spawned, restored, spoken to and ended outside.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <expected>
#include <mutex>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

#include "pool/board/blanks.h"
#include "pool/board/board.h"
#include "pool/board/line_rule.h"
#include "pool/board/orders.h"
#include "pool/board/pace.h"
#include "pool/clone/clone_maker.h"
#include "pool/clone/phase_timer.h"
#include "pool/clone/trials.h"
#include "pool/lease/lease_book.h"
#include "pool/pool.h"
#include "pool/teardown/teardown.h"
#include "pool/template/builder.h"
#include "pool/vm/living_vms.h"

namespace qm::pool {

class Pool::Inside {
 public:
  Inside(PoolWiring wiring, const PoolSettings& settings);
  ~Inside() { shutdown(); }

  Status putTemplate(const Recipe& recipe);
  std::vector<TemplateView> templates() const;
  std::optional<TemplateView> findTemplate(std::string_view name) const;
  bool hasTemplate(std::string_view name) const;
  Status removeTemplate(std::string_view name);
  Status build(std::string_view name);
  Result<Grant> acquire(const AcquireRequest& request);
  Result<BegunAcquire> beginAcquire(const AcquireRequest& request);
  Access access(std::string_view id, std::string_view token) const;
  std::optional<LeaseView> lease(std::string_view id) const;
  std::vector<LeaseView> leases() const;
  Result<LeaseView> renew(std::string_view id, std::chrono::milliseconds ttl);
  Status release(std::string_view id);
  bool releasesAtOnce() const { return !teardown_.isFull(); }
  Result<Reply> ping(std::string_view id);
  Result<agent::Ran> exec(std::string_view id, const agent::Run& run);
  Result<std::unique_ptr<Awaited<Reply>>> beginPing(std::string_view id);
  Result<std::unique_ptr<Awaited<agent::Ran>>> beginExec(std::string_view id, const agent::Run& run);
  Error explained(std::string_view id, Error error);
  Result<MemoryUse> memoryUse(std::string_view id);
  Result<std::unique_ptr<Awaited<GuestConnection>>> beginConnect(std::string_view id, std::uint16_t port);
  std::vector<PoolView> pools() const;
  std::uint32_t blanks() const;
  Load load() const;
  void shutdown();

 private:
  using Lock = std::unique_lock<std::mutex>;

  // One of the places in which VMs are booted: given back when this ends.
  class BootPlace {
   public:
    // Waits for one, as long as a boot may take. retry: none was free by then.
    static Result<BootPlace> take(Inside& pool, PhaseTimer& timer);
    BootPlace(BootPlace&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
    BootPlace& operator=(BootPlace&&) = delete;
    ~BootPlace();

   private:
    explicit BootPlace(Inside& pool) : pool_(&pool) {}
    Inside* pool_;
  };

  // A caller's thread is inside: shutdown() waits for it.
  class Call {
   public:
    static Result<Call> begin(Inside& pool);
    Call(Call&& other) noexcept : pool_(std::exchange(other.pool_, nullptr)) {}
    Call& operator=(Call&&) = delete;
    ~Call();

   private:
    explicit Call(Inside& pool) : pool_(&pool) {}
    Inside* pool_;
  };

  // begin.cpp
  class PlaceInLine;
  template <class From, class To>
  class Spoken;

  // acquire.cpp. An empty optional: this road is not open just now.
  Result<Taken> take(const AcquireRequest& request, PhaseTimer& timer);
  Result<Taken> takeForced(const AcquireRequest& request, Road road, PhaseTimer& timer);
  std::optional<Taken> takeReady(const AcquireRequest& request, PhaseTimer& timer);
  Vm waitForReady(std::string_view name, TimePoint deadline, bool forced);
  Vm takeLiving(std::string_view name);
  void tellMiss(std::string_view name);
  Vm waitForBlank(TimePoint deadline);
  // Why an order was not kept.
  struct Refusal {
    enum class Kind : std::uint8_t {
      unservable,  // the snapshot does not serve: a boot may
      busy,        // too many wait, or this one did for too long
    };
    Kind kind = Kind::unservable;
    Error error;
  };
  // Waits for a maker.
  std::expected<Taken, Refusal> order(const AcquireRequest& request, Vm blank, PhaseTimer& timer);
  std::expected<Taken, Refusal> await(Lock lock, Order& order, PhaseTimer& timer);
  // With the lock. None: the order is in the line.
  std::optional<Refusal> enterLine(const AcquireRequest& request, Order& order);
  TimePoint untilOf(const AcquireRequest& request, TimePoint since) const {
    return since + request.patience.value_or(settings_.longestInLine);
  }
  Refusal busy() const;  // with the lock
  Refusal refusalOf(const Order& order) const;
  Error late() const;
  Status checkAcquire(const AcquireRequest& request) const;
  Result<Grant> told(const AcquireRequest& request, Result<Grant> granted);
  void follow(std::string_view templateName, Road road, const Phases& phases);
  Aftermath afterAnswer(const std::string& templateName, const Grant& grant);
  Status checkTemplate(std::string_view name) const;
  Result<Taken> takeBooted(std::string_view name, PhaseTimer& timer);
  Result<Source> source(std::string_view name) const;
  Result<Grant> grant(const AcquireRequest& request, Taken taken, const PhaseTimer& timer);

  // workers.cpp
  void buildTemplates();
  void build(const BuildJob& job);
  void learn(const Recipe& recipe, const TemplateImage& image, const Progress& progress);
  // What a maker does next: a clone for one caller, for whoever waits first, or for the ready ones.
  struct Job {
    Source source;
    Order* forced = nullptr;  // waits for this one's answer
    Vm blank;                 // null: to be spawned
    Vm used;                  // not null: to be reset, in place of both
  };
  void make();
  std::optional<Job> nextJob(TimePoint now);
  std::optional<Job> nextForced();
  std::optional<Job> nextOrdered();
  void refuseOrders(std::string_view name);
  Result<Vm> make(Job& job, PhaseTimer& timer);
  void make(Job job);
  // With the lock, which they release.
  void deliver(Lock lock, const Job& job, Taken made, TimePoint begun);
  void failed(Lock lock, const Job& job, const Error& error);
  void spawnBlank();
  void reap();
  void end(LeaseBook::Closed closed, LeaseEnd why);
  void tornDown(std::chrono::microseconds took);

  // resets.cpp
  // A tenant has done with it: it is to be reset, or else it ends. When it answers its guest runs no more.
  void retire(std::string_view templateName, Vm vm);
  std::optional<Job> nextReset();
  void resetFailed(const Source& source, Phase phase, const Error& error);

  // Keeps the images until nobody restores from them, unlocks, ends the clones, and wakes whoever waits.
  void settle(Lock lock, Discarded discarded);
  std::vector<Image> takeUnused();
  void cloneFailed(const Source& source, Phase phase, const Error& error);
  void wakeAll();
  Status checkTtl(std::chrono::milliseconds ttl) const;
  Result<Vm> leased(std::string_view id) const;
  Result<Reply> replyOf(const agent::Pong& pong, std::uint64_t nonce, TimePoint start) const;
  Result<Deadline> deadlineOf(const agent::Run& run) const;
  TimePoint now() const { return wiring_.clock.now(); }

  PoolWiring wiring_;
  PoolSettings settings_;
  LivingVms vms_;
  CloneMaker maker_;
  Trials trials_;
  TemplateBuilder builder_;
  const LineRule lineRule_;

  // Protects what follows. While it is held no other lock is taken but the teardown's, and no VM is asked anything.
  mutable std::mutex mutex_;
  // One for each kind of sleeper, so that a request wakes only who has something to do.
  std::condition_variable work_;    // makers: something to make
  std::condition_variable builds_;  // the builder: a template to build
  std::condition_variable ends_;    // the reaper: an earlier expiry, a snapshot to remove
  std::condition_variable ready_;   // callers who wait for a ready clone or a blank
  std::condition_variable boots_;   // callers who wait for a place to boot in
  std::condition_variable idle_;    // shutdown(): no call is under way
  Board board_;
  Orders orders_;
  Pace pace_;
  LeaseBook leases_;
  Blanks blanks_;
  // VMs that tenants have done with and that are to be clones again.
  struct Used {
    Source source;
    Vm vm;
  };
  std::deque<Used> used_;
  TimePoint reaperLooksAt_ = TimePoint::max();
  std::vector<Image> retired_;
  std::uint32_t booting_ = 0;  // for tenants
  std::uint32_t bootsInLine_ = 0;
  std::uint32_t making_ = 0;  // makers at work
  bool heldBack_ = false;     // nothing is made ahead until the teardown has caught up
  bool closing_ = false;
  std::uint32_t calls_ = 0;
  std::vector<std::thread> workers_;

  Teardown teardown_;  // last: what it tells uses the rest
};

}  // namespace qm::pool
