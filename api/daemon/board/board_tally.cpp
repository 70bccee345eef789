#include "api/daemon/board/board_tally.h"

#include <algorithm>
#include <limits>

#include <fmt/format.h>

namespace qm {

namespace {

using std::chrono::steady_clock;

constexpr auto kRateOver = std::chrono::seconds(10);

std::uint64_t perKs(std::uint64_t count, steady_clock::duration over) {
  const double seconds = std::chrono::duration<double>(over).count();
  constexpr double kKs = 1000;
  return seconds > 0 ? static_cast<std::uint64_t>(static_cast<double>(count) / seconds * kKs) : 0;
}

}  // namespace

void BoardTally::acquired(std::string_view /*templateName*/, pool::Road road, const pool::Phases& phases) {
  const auto took = static_cast<std::uint64_t>(std::max<std::int64_t>(phases.total().count(), 0));
  const std::lock_guard lock(mutex_);
  ++granted_;
  OfRoad& times = roads_.at(static_cast<std::size_t>(road));
  times.us[times.granted++ % kTimes] =
      static_cast<std::uint32_t>(std::min<std::uint64_t>(took, std::numeric_limits<std::uint32_t>::max()));
}

void BoardTally::acquireFailed(std::string_view templateName, const Error& error) {
  addError("acquire", templateName, error);
  const std::lock_guard lock(mutex_);
  ++refused_;
}

void BoardTally::cloneFailed(std::string_view templateName, pool::Phase phase, const Error& error) {
  addError(fmt::format("clone, {}", pool::name(phase)), templateName, error);
}

void BoardTally::resetFailed(std::string_view templateName, pool::Phase phase, const Error& error) {
  addError(fmt::format("reset, {}", pool::name(phase)), templateName, error);
}

void BoardTally::cloneReady(std::string_view /*templateName*/, const pool::Phases& /*phases*/) {
  const std::lock_guard lock(mutex_);
  ++refilled_;
}

void BoardTally::missed(std::string_view /*templateName*/, pool::Miss /*miss*/) {
  const std::lock_guard lock(mutex_);
  ++missed_;
}

void BoardTally::leaseEnded(std::string_view /*templateName*/, pool::LeaseEnd /*end*/) {
  const std::lock_guard lock(mutex_);
  ++ended_;
}

void BoardTally::templateFailed(std::string_view templateName, const Error& error) {
  addError("template", templateName, error);
}

void BoardTally::addError(std::string_view what, std::string_view templateName, const Error& error) {
  const auto wall = std::chrono::system_clock::now().time_since_epoch();
  board::PastError past{
      .wallMs = static_cast<std::uint64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(wall).count()),
      .text = fmt::format("{} of {}: {}", what, templateName, error.text())};
  const std::lock_guard lock(mutex_);
  errors_.push_front(std::move(past));
  if (errors_.size() > board::kMostErrors) errors_.pop_back();
}

board::Road BoardTally::line(pool::Road road, const OfRoad& times) {
  board::Road line{.name = std::string(pool::name(road)), .granted = times.granted};
  const std::size_t count = static_cast<std::size_t>(std::min<std::uint64_t>(times.granted, kTimes));
  if (count == 0) return line;
  std::vector<std::uint32_t> sorted(times.us.begin(), times.us.begin() + static_cast<std::ptrdiff_t>(count));
  std::ranges::sort(sorted);
  line.p50Us = sorted[(count - 1) / 2];
  line.p99Us = sorted[(count - 1) * 99 / 100];
  line.mostUs = sorted.back();
  return line;
}

void BoardTally::write(board::Board& board, steady_clock::time_point now) {
  const std::lock_guard lock(mutex_);
  board.granted = granted_;
  board.refused = refused_;
  board.missed = missed_;
  board.ended = ended_;
  for (const pool::Road road : pool::kRoads)
    board.roads.push_back(line(road, roads_.at(static_cast<std::size_t>(road))));
  board.errors.assign(errors_.begin(), errors_.end());
  past_.push_back({.at = now, .granted = granted_, .refilled = refilled_, .ended = ended_});
  while (past_.size() > 1 && now - past_[1].at >= kRateOver) past_.pop_front();
  const Sums& oldest = past_.front();
  board.grantedPerKs = perKs(granted_ - oldest.granted, now - oldest.at);
  board.refilledPerKs = perKs(refilled_ - oldest.refilled, now - oldest.at);
  board.endedPerKs = perKs(ended_ - oldest.ended, now - oldest.at);
}

}  // namespace qm
