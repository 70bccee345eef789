// The templates, what is known of each, and its ready clones: who may take one, and which work is due. Starts nothing
// and waits for nothing; the pool does, by the jobs that it fetches here.
//
// Threads: none of its own; the pool's mutex guards it. VMs that it gives back as Discarded are to be ended, after the
// mutex is released.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "pool/board/backoff.h"
#include "pool/clock/clock.h"
#include "pool/road/miss.h"
#include "pool/road/phases.h"
#include "pool/template/builder.h"
#include "pool/template/recipe.h"
#include "pool/template/template_status.h"
#include "pool/vm/living_vms.h"
#include "vmm/result/result.h"

namespace qm::pool {

using Image = std::shared_ptr<const TemplateImage>;

// What a clone is made from, as it was when the work began. The generation changes with recipe and snapshot, so that
// what was made from an older one is known when it comes back.
struct Source {
  Recipe recipe;
  Image image;  // null: no usable snapshot
  std::uint64_t generation = 0;
};

struct BuildJob {
  Recipe recipe;
  std::uint64_t generation = 0;
  SnapshotSource source = SnapshotSource::build;
};

// What a change left over: clones to end, and snapshots to remove once nobody restores from them.
struct Discarded {
  std::vector<Vm> clones;
  std::vector<Image> images;
};

class Board {
 public:
  // Whom a clone was handed to is left alone so long with the processors before the next one is made, as long as three
  // quarters are ready: making one takes as much of them as the first request to the one that was handed out.
  static constexpr std::chrono::milliseconds kRest{4};

  explicit Board(std::uint32_t cloneAttempts) : cloneAttempts_(cloneAttempts) {}

  // `recipe` was checked.
  Discarded put(const Recipe& recipe);
  std::optional<Discarded> remove(std::string_view name);
  // False: no such template.
  bool requestBuild(std::string_view name);
  // As requestBuild, but not sooner than failures allow, and a snapshot on the shelf will do. For the misses of
  // acquire.
  void suggestBuild(std::string_view name);

  bool has(std::string_view name) const { return find(name) != nullptr; }
  std::optional<Source> source(std::string_view name) const;
  // Whether source() has an image to make clones from; without copying a recipe.
  bool hasSnapshot(std::string_view name) const;
  std::optional<TemplateStatus> status(std::string_view name) const;
  // Whether a clone will be ready without anybody's doing.
  bool expectsReady(std::string_view name) const;
  bool hasReady(std::string_view name) const;
  // Why none was ready.
  Miss missOf(std::string_view name) const;
  // Null: none is ready.
  Vm takeReady(std::string_view name, TimePoint now);

  std::optional<BuildJob> nextBuild(TimePoint now);
  void buildIsAt(const BuildJob& job, std::string_view step);
  Discarded built(const BuildJob& job, Image image);
  void buildFailed(const BuildJob& job, const Error& error, TimePoint now);

  // What a caller who waits is served from; none: no usable snapshot, or there are as many on their way as `orders`.
  std::optional<Source> nextOrdered(std::string_view name, std::uint32_t orders);
  std::optional<Source> nextRefill(TimePoint now);
  // Whether a VM that was restored from `snapshot`, and that a tenant has done with, is to be a clone again: the recipe
  // says so, the snapshot is the one that there is, and there is a use for it: `orders` callers wait, or fewer than
  // twice as many clones are there as are kept ready. Then it counts as being made. Twice, since what is taken comes
  // back: a clone more is cheaper than to end one and to start the next.
  std::optional<Source> nextReset(std::string_view name, const std::filesystem::path& snapshot, std::uint32_t orders);
  // The clone is somebody's who waited for it. False: it came too late and is to be ended.
  bool handedOver(const Source& source);
  // Adds the clone to the ready ones; false: it came too late and is to be ended.
  bool refilled(const Source& source, Vm clone);
  void refillFailed(const Source& source);

  // A clone of this source failed in `phase`, whoever made it: after too many the snapshot counts as unusable and a
  // build is due.
  Discarded cloneFailed(const Source& source, Phase phase, const Error& error, TimePoint now);
  void cloneWorked(const Source& source);

  // When nextBuild or nextRefill may answer differently by time alone.
  TimePoint nextDue(TimePoint now) const;

  struct Entry {
    Recipe recipe;
    TemplateStatus status;
    Image image;
    std::uint64_t generation = 0;
    std::deque<Vm> ready;
    std::uint32_t making = 0;           // of this generation
    std::uint32_t failedClones = 0;     // in a row, of this snapshot
    std::optional<SnapshotSource> due;  // a build
    Backoff builds;
    Backoff refills;
    TimePoint restsUntil = TimePoint::min();  // its refill, unless it runs low
  };
  using Entries = std::map<std::string, Entry, std::less<>>;
  const Entries& entries() const { return entries_; }

 private:
  Entry* find(std::string_view name);
  const Entry* find(std::string_view name) const;
  // Null when it is another generation by now.
  Entry* current(const Source& source) { return current(source.recipe.name, source.generation); }
  Entry* current(std::string_view name, std::uint64_t generation);
  void advance(Entry& entry, Discarded& discarded);
  void condemn(Entry& entry, const Error& error, Discarded& discarded, TimePoint now);

  std::uint32_t cloneAttempts_;
  std::uint64_t generations_ = 0;
  Entries entries_;
};

}  // namespace qm::pool
