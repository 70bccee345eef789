// Templates, the clones kept ready of each, and the leases on them.
//
// Threads: every function may be called from any. Workers of the pool's own build templates, refill and end what has
// expired. Errors: fixInput when the template or lease is not there or the request makes no sense, retry when
// something is short for the moment, giveUp after shutdown().
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "pool/clock/clock.h"
#include "pool/lease/lease.h"
#include "pool/observer.h"
#include "pool/road/phases.h"
#include "pool/road/road.h"
#include "pool/template/recipe.h"
#include "pool/template/snapshot_shelf.h"
#include "pool/template/template_status.h"
#include "pool/vm/awaited.h"
#include "pool/vm/limits.h"
#include "pool/vm/vm_process.h"
#include "vmm/log/log.h"
#include "vmm/result/result.h"

namespace qm::pool {

// Those that this process may use.
std::uint32_t usableCores();

struct PoolSettings {
  std::uint32_t refillsAtOnce = usableCores();  // clones made at once, for tenants who wait or ahead
  std::uint32_t blanks = 2;                     // processes without a guest kept waiting for a miss
  std::uint32_t cloneAttempts = 2;  // restores tried, one after the other, before the snapshot counts as unusable
  std::chrono::seconds longestTtl{24 * 3600};
  // Tenants who wait for a clone to be made. Beyond so many, or where one more is expected to wait longer than this,
  // the answer is at once to come again (pool/board/line_rule.h), and so it is after longestInLine, should the
  // expectation have been wrong. Both times are those of tenants who name no patience of their own.
  std::uint32_t longestLine = 1024;
  std::chrono::milliseconds longestExpected{2'000};
  std::chrono::milliseconds longestInLine{10'000};
  // VMs that were killed and of which something is left: from half of it on no clone is made ahead, and at all of it
  // whoever ends one more clears it away himself.
  std::uint32_t endingAtOnce = 256;
  Limits limits;
};

// What the pool works with; all outlive it.
struct PoolWiring {
  VmSpawner& spawner;
  SnapshotShelf& shelf;
  Clock& clock;
  PoolObserver& observer;
  Log log;
};

struct AcquireRequest {
  std::string templateName;
  std::chrono::milliseconds ttl{60'000};
  std::chrono::milliseconds wait{0};  // for a ready clone, before a slower road is taken
  std::optional<Road> forced;         // this road or an error: for tests and benchmarks
  // For a clone to be made, from when none is ready: who is not expected to have it by then is refused at once, and who
  // does not have it then is refused then. None: as the settings say.
  std::optional<std::chrono::milliseconds> patience;
};

// What the pool does about an acquire once its answer is on the way: it tells its observer and wakes the refill of what
// was taken. Done when the last copy goes, by whose thread that is, while the pool still is.
using Aftermath = std::shared_ptr<const void>;

struct Grant {
  LeaseId id;
  Token token;
  Road road = Road::ready;
  Phases phases;
  WallTime expiresAt;
  Aftermath aftermath = nullptr;  // null: it is done
};

// Of an acquire that was begun: acquire() is to be called for it, which may wait.
struct WouldWait {};
using Acquired = std::variant<Grant, WouldWait>;
using BegunAcquire = std::variant<Grant, WouldWait, std::unique_ptr<Awaited<Acquired>>>;

// The echo of a fresh nonce from inside the guest.
struct Reply {
  agent::Pong pong;
  std::chrono::microseconds roundTrip{};
};

struct TemplateView {
  Recipe recipe;
  TemplateStatus status;
};

struct PoolView {
  std::string templateName;
  TemplateStatus status;
  std::uint32_t wanted = 0;
  std::uint32_t ready = 0;
  std::uint32_t making = 0;  // on their way to ready
  std::uint32_t leased = 0;
};

// What the pool is busy with.
struct Load {
  std::uint32_t inLine = 0;  // tenants who wait for a clone to be made
  std::uint32_t making = 0;  // clones and blanks
  std::uint32_t ending = 0;  // VMs that were killed and of which something is left
  bool operator==(const Load&) const = default;
};

class Pool {
 public:
  Pool(PoolWiring wiring, const PoolSettings& settings);
  ~Pool();  // shutdown()
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // Takes the recipe; an earlier one of that name is replaced and its ready clones are destroyed, unless only poolSize
  // differs, or reuse, which may allow resets from there on; where it forbids them, ready clones are destroyed too.
  // When poolSize is above 0 its snapshot is made ready at once: one found on the shelf, or else a build.
  Status putTemplate(const Recipe& recipe);
  std::vector<TemplateView> templates() const;
  std::optional<TemplateView> findTemplate(std::string_view name) const;
  bool hasTemplate(std::string_view name) const;  // copies nothing
  // Leases on its VMs go on.
  Status removeTemplate(std::string_view name);
  // Asks for a new snapshot; the status tells how it goes. Asking while one is being built changes nothing.
  Status build(std::string_view name);

  Result<Grant> acquire(const AcquireRequest& request);
  // The same without waiting: a clone that is ready, or a place in the line for one. WouldWait where a road is forced,
  // a ready clone is to be waited for, or there is no snapshot. Who gives up what he awaits has stood in line for
  // nobody: nothing is made for him any more. Before shutdown() ends, all that is awaited is to be given up or taken.
  Result<BegunAcquire> beginAcquire(const AcquireRequest& request);

  // Ask this first: the calls below trust that the caller may.
  Access access(std::string_view id, std::string_view token) const;
  std::optional<LeaseView> lease(std::string_view id) const;
  std::vector<LeaseView> leases() const;
  // The lease then ends `ttl` from now.
  Result<LeaseView> renew(std::string_view id, std::chrono::milliseconds ttl);
  // When it answers the lease is closed and its VM killed: the guest runs no more and nobody reaches it. What is left
  // of the VM (its memory, its process's end, its folder) goes soon after; where the recipe says so its process is
  // halted and reset in place of all that. Free on a lease that has ended.
  Status release(std::string_view id);
  // Whether a release just now waits for nothing: not where so many VMs are ending that who ends one more helps.
  bool releasesAtOnce() const;

  Result<Reply> ping(std::string_view id);
  // A run whose timeoutMs is 0 may take as long as the lease lasts.
  Result<agent::Ran> exec(std::string_view id, const agent::Run& run);
  // These two without waiting, while the lease's VM has a connection to spare. Null: it has none, call those.
  Result<std::unique_ptr<Awaited<Reply>>> beginPing(std::string_view id);
  Result<std::unique_ptr<Awaited<agent::Ran>>> beginExec(std::string_view id, const agent::Run& run);
  // The error of either: with why the VM ended, if it did by itself. May wait a moment.
  Error explained(std::string_view id, Error error);
  Result<MemoryUse> memoryUse(std::string_view id);
  // To a TCP port of the guest. Beginning it may wait a moment, as there is a socket to be made.
  Result<std::unique_ptr<Awaited<GuestConnection>>> beginConnect(std::string_view id, std::uint16_t port);

  std::vector<PoolView> pools() const;
  std::uint32_t blanks() const;
  Load load() const;

  // Ends every VM, waits for all workers and calls. After it the other functions answer errors. Idempotent.
  void shutdown();

 private:
  class Inside;
  std::unique_ptr<Inside> inside_;
};

}  // namespace qm::pool
