// Counts what the pool tells, as the board shows it: sums, rates of the last ten seconds, what leases by each road took
// of late, the last errors.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <mutex>
#include <vector>

#include "api/board/board_values.h"
#include "pool/observer.h"

namespace qm {

// Threads: any.
class BoardTally final : public pool::PoolObserver {
 public:
  void acquired(std::string_view templateName, pool::Road road, const pool::Phases& phases) override;
  void acquireFailed(std::string_view templateName, const Error& error) override;
  void cloneFailed(std::string_view templateName, pool::Phase phase, const Error& error) override;
  void resetFailed(std::string_view templateName, pool::Phase phase, const Error& error) override;
  void cloneReady(std::string_view templateName, const pool::Phases& phases) override;
  void missed(std::string_view templateName, pool::Miss miss) override;
  void leaseEnded(std::string_view templateName, pool::LeaseEnd end) override;
  void tornDown(std::chrono::microseconds) override {}
  void templateBuilt(std::string_view, std::chrono::microseconds) override {}
  void templateFailed(std::string_view templateName, const Error& error) override;

  // Into its fields of a board. Rates go by the time of the calls: `now` of the steady clock, which does not go back.
  void write(board::Board& board, std::chrono::steady_clock::time_point now);

 private:
  static constexpr std::size_t kTimes = 256;

  struct OfRoad {
    std::uint64_t granted = 0;
    std::array<std::uint32_t, kTimes> us{};  // a ring
  };
  struct Sums {
    std::chrono::steady_clock::time_point at;
    std::uint64_t granted = 0, refilled = 0, ended = 0;
  };

  void addError(std::string_view what, std::string_view templateName, const Error& error);
  static board::Road line(pool::Road road, const OfRoad& times);

  std::mutex mutex_;  // protects what follows
  std::array<OfRoad, pool::kRoads.size()> roads_;
  std::uint64_t granted_ = 0, refused_ = 0, missed_ = 0, ended_ = 0, refilled_ = 0;
  std::deque<board::PastError> errors_;  // the latest first
  std::deque<Sums> past_;                // of the last ten seconds, the oldest first
};

}  // namespace qm
