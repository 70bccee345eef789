#include "pool/board/board.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace qm::pool {
namespace {

using State = TemplateStatus::State;

std::size_t clonesOf(const Board::Entry& entry) {
  return entry.ready.size() + entry.making;
}

bool wantsClone(const Board::Entry& entry) {
  return entry.image != nullptr && clonesOf(entry) < entry.recipe.poolSize;
}

TimePoint refillDue(const Board::Entry& entry) {
  const bool runsLow = clonesOf(entry) * 4 < std::size_t{entry.recipe.poolSize} * 3;
  return runsLow ? entry.refills.until() : std::max(entry.refills.until(), entry.restsUntil);
}

bool wantsBuild(const Board::Entry& entry) {
  return entry.due.has_value() && entry.status.state != State::building;
}

// That may be there, those that are being made among them. What is reset comes back by itself: a clone more is cheaper
// than to end one and to start the next.
std::size_t mostClones(const Recipe& recipe) {
  return std::size_t{recipe.reuse == Reuse::reset ? 2U : 1U} * recipe.poolSize;
}

// Clones made before may have had a tenant, and that is no longer allowed.
bool forbidsReset(const Recipe& before, const Recipe& after) {
  return before.reuse == Reuse::reset && after.reuse == Reuse::destroy;
}

void dropReady(Board::Entry& entry, Discarded& discarded) {
  std::ranges::move(entry.ready, std::back_inserter(discarded.clones));
  entry.ready.clear();
}

}  // namespace

Discarded Board::put(const Recipe& recipe) {
  Discarded discarded;
  Entry& entry = entries_[recipe.name];
  const bool same = makeSameSnapshot(entry.recipe, recipe);
  if (same && forbidsReset(entry.recipe, recipe)) dropReady(entry, discarded);
  entry.recipe = recipe;
  if (!same) {
    dropReady(entry, discarded);
    advance(entry, discarded);
    entry.status = {};
    entry.due.reset();
    entry.builds.worked();
  }
  while (entry.ready.size() > recipe.poolSize) {
    discarded.clones.push_back(std::move(entry.ready.front()));
    entry.ready.pop_front();
  }
  if (entry.image == nullptr && recipe.poolSize > 0 && !entry.due) entry.due = SnapshotSource::shelf;
  return discarded;
}

std::optional<Discarded> Board::remove(std::string_view name) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) return std::nullopt;
  Discarded discarded;
  dropReady(found->second, discarded);
  advance(found->second, discarded);
  entries_.erase(found);
  return discarded;
}

bool Board::requestBuild(std::string_view name) {
  Entry* entry = find(name);
  if (entry == nullptr) return false;
  if (entry->status.state == State::building) return true;
  entry->due = SnapshotSource::build;
  entry->builds.worked();
  return true;
}

void Board::suggestBuild(std::string_view name) {
  Entry* entry = find(name);
  if (entry == nullptr || entry->image != nullptr || entry->status.state == State::building || entry->due) return;
  // After a failure what rests on the shelf has been tried.
  entry->due = entry->status.state == State::failed ? SnapshotSource::build : SnapshotSource::shelf;
}

std::optional<Source> Board::source(std::string_view name) const {
  const Entry* entry = find(name);
  if (entry == nullptr) return std::nullopt;
  return Source{.recipe = entry->recipe, .image = entry->image, .generation = entry->generation};
}

bool Board::hasSnapshot(std::string_view name) const {
  const Entry* entry = find(name);
  return entry != nullptr && entry->image != nullptr;
}

std::optional<TemplateStatus> Board::status(std::string_view name) const {
  const Entry* entry = find(name);
  return entry == nullptr ? std::nullopt : std::optional(entry->status);
}

bool Board::expectsReady(std::string_view name) const {
  const Entry* entry = find(name);
  if (entry == nullptr || entry->recipe.poolSize == 0) return false;
  return entry->image != nullptr || entry->due || entry->status.state == State::building;
}

bool Board::hasReady(std::string_view name) const {
  const Entry* entry = find(name);
  return entry != nullptr && !entry->ready.empty();
}

Miss Board::missOf(std::string_view name) const {
  const Entry* entry = find(name);
  if (entry == nullptr || entry->image == nullptr) return Miss::noSnapshot;
  return entry->recipe.poolSize == 0 ? Miss::noPool : Miss::drained;
}

Vm Board::takeReady(std::string_view name, TimePoint now) {
  Entry* entry = find(name);
  if (entry == nullptr || entry->ready.empty()) return nullptr;
  // The youngest: what it and its VMM touched last is still in the processors' caches, and it has done less of what an
  // idle guest does by itself.
  Vm clone = std::move(entry->ready.back());
  entry->ready.pop_back();
  entry->restsUntil = now + kRest;
  return clone;
}

std::optional<BuildJob> Board::nextBuild(TimePoint now) {
  for (auto& [name, entry] : entries_) {
    if (!wantsBuild(entry) || now < entry.builds.until()) continue;
    const SnapshotSource source = *std::exchange(entry.due, std::nullopt);
    entry.status = {.state = State::building, .detail = "waiting"};
    return BuildJob{.recipe = entry.recipe, .generation = entry.generation, .source = source};
  }
  return std::nullopt;
}

void Board::buildIsAt(const BuildJob& job, std::string_view step) {
  if (Entry* entry = current(job.recipe.name, job.generation)) entry->status.detail = step;
}

Discarded Board::built(const BuildJob& job, Image image) {
  Discarded discarded;
  Entry* entry = current(job.recipe.name, job.generation);
  if (entry == nullptr) {
    discarded.images.push_back(std::move(image));
    return discarded;
  }
  dropReady(*entry, discarded);
  advance(*entry, discarded);
  entry->image = std::move(image);
  // The backoff of builds is forgotten only when a clone works: a snapshot that builds well and never restores is not
  // built in a circle.
  entry->status = {.state = State::ready};
  return discarded;
}

void Board::buildFailed(const BuildJob& job, const Error& error, TimePoint now) {
  Entry* entry = current(job.recipe.name, job.generation);
  if (entry == nullptr) return;
  entry->builds.failed(now);
  // A snapshot from before still serves.
  entry->status = {.state = entry->image != nullptr ? State::ready : State::failed, .detail = error.text()};
  if (error.remedy() == Remedy::retry && entry->recipe.poolSize > 0) entry->due = SnapshotSource::build;
}

std::optional<Source> Board::nextOrdered(std::string_view name, std::uint32_t orders) {
  Entry* entry = find(name);
  if (entry == nullptr || entry->image == nullptr || entry->making >= orders) return std::nullopt;
  ++entry->making;
  return Source{.recipe = entry->recipe, .image = entry->image, .generation = entry->generation};
}

// The template with the fewest clones first: one that is drained all the time does not starve the others.
std::optional<Source> Board::nextRefill(TimePoint now) {
  Entry* poorest = nullptr;
  for (auto& [name, entry] : entries_) {
    if (!wantsClone(entry) || now < refillDue(entry)) continue;
    if (poorest == nullptr || clonesOf(entry) < clonesOf(*poorest)) poorest = &entry;
  }
  if (poorest == nullptr) return std::nullopt;
  ++poorest->making;
  return Source{.recipe = poorest->recipe, .image = poorest->image, .generation = poorest->generation};
}

std::optional<Source> Board::nextReset(std::string_view name, const std::filesystem::path& snapshot,
                                       std::uint32_t orders) {
  Entry* entry = find(name);
  if (entry == nullptr || entry->recipe.reuse != Reuse::reset || entry->image == nullptr) return std::nullopt;
  if (snapshot.empty() || snapshot != entry->image->folder) return std::nullopt;
  if (clonesOf(*entry) >= mostClones(entry->recipe) + orders) return std::nullopt;
  ++entry->making;
  return Source{.recipe = entry->recipe, .image = entry->image, .generation = entry->generation};
}

bool Board::handedOver(const Source& source) {
  Entry* entry = current(source);
  if (entry == nullptr) return false;
  --entry->making;
  return !forbidsReset(source.recipe, entry->recipe);
}

bool Board::refilled(const Source& source, Vm clone) {
  Entry* entry = current(source);
  if (entry == nullptr) return false;
  --entry->making;
  if (entry->ready.size() >= mostClones(entry->recipe) || forbidsReset(source.recipe, entry->recipe)) return false;
  entry->ready.push_back(std::move(clone));
  return true;
}

void Board::refillFailed(const Source& source) {
  if (Entry* entry = current(source)) --entry->making;
}

Discarded Board::cloneFailed(const Source& source, Phase phase, const Error& error, TimePoint now) {
  Discarded discarded;
  Entry* entry = current(source);
  if (entry == nullptr || entry->image == nullptr) return discarded;
  entry->refills.failed(now);
  if (phase == Phase::spawn) return discarded;  // the snapshot has no part in it
  ++entry->failedClones;
  const bool refused = phase == Phase::restore && error.remedy() == Remedy::fixInput;
  if (refused || entry->failedClones >= cloneAttempts_) condemn(*entry, error, discarded, now);
  return discarded;
}

void Board::cloneWorked(const Source& source) {
  Entry* entry = current(source);
  if (entry == nullptr) return;
  entry->failedClones = 0;
  entry->refills.worked();
  entry->builds.worked();
}

TimePoint Board::nextDue(TimePoint now) const {
  TimePoint next = TimePoint::max();
  const auto consider = [&](TimePoint due) {
    if (due > now) next = std::min(next, due);
  };
  for (const auto& [name, entry] : entries_) {
    if (wantsBuild(entry)) consider(entry.builds.until());
    if (wantsClone(entry)) consider(refillDue(entry));
  }
  return next;
}

Board::Entry* Board::find(std::string_view name) {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

const Board::Entry* Board::find(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? nullptr : &found->second;
}

Board::Entry* Board::current(std::string_view name, std::uint64_t generation) {
  Entry* entry = find(name);
  return entry != nullptr && entry->generation == generation ? entry : nullptr;
}

void Board::advance(Entry& entry, Discarded& discarded) {
  if (entry.image != nullptr) discarded.images.push_back(std::exchange(entry.image, nullptr));
  entry.generation = ++generations_;
  entry.making = 0;
  entry.failedClones = 0;
  entry.refills.worked();
}

// Clones that are ready proved themselves and stay until a new snapshot is there.
void Board::condemn(Entry& entry, const Error& error, Discarded& discarded, TimePoint now) {
  const bool building = entry.status.state == State::building;
  if (!building) {
    advance(entry, discarded);
    entry.status = {.state = State::failed, .detail = "its snapshot is unusable: " + error.text()};
    entry.due = SnapshotSource::build;
    entry.builds.failed(now);
    return;
  }
  // The build under way keeps its generation, which brings the new snapshot.
  discarded.images.push_back(std::exchange(entry.image, nullptr));
  entry.failedClones = 0;
}

}  // namespace qm::pool
