#include "api/daemon/board/board_tally.h"

#include <gtest/gtest.h>

namespace qm {
namespace {

using namespace std::chrono_literals;
using TimePoint = std::chrono::steady_clock::time_point;

pool::Phases taking(std::chrono::microseconds time) {
  pool::Phases phases;
  phases.add(pool::Phase::take, time);
  return phases;
}

board::Board written(BoardTally& tally, std::chrono::seconds at) {
  board::Board board;
  tally.write(board, TimePoint(at));
  return board;
}

TEST(BoardTally, ARoadsLineHasWhatItsLeasesTookOfLate) {
  BoardTally tally;
  for (int i = 1; i <= 100; ++i) tally.acquired("hello", pool::Road::blank, taking(i * 10us));
  const board::Board board = written(tally, 1s);
  ASSERT_EQ(board.roads.size(), 4U);
  EXPECT_EQ(board.roads[1], (board::Road{.name = "blank", .granted = 100, .p50Us = 500, .p99Us = 990, .mostUs = 1000}));
  EXPECT_EQ(board.roads[0], (board::Road{.name = "ready"}));
}

TEST(BoardTally, OldTimesMakePlaceForLateOnes) {
  BoardTally tally;
  tally.acquired("hello", pool::Road::ready, taking(1s));
  for (int i = 0; i < 256; ++i) tally.acquired("hello", pool::Road::ready, taking(5us));
  EXPECT_EQ(written(tally, 1s).roads[0].mostUs, 5U);
}

TEST(BoardTally, RatesAreThoseOfTheLastTenSeconds) {
  BoardTally tally;
  EXPECT_EQ(written(tally, 100s).grantedPerKs, 0U);
  for (int i = 0; i < 20; ++i) tally.acquired("hello", pool::Road::ready, taking(1us));
  EXPECT_EQ(written(tally, 104s).grantedPerKs, 5000U);
  EXPECT_EQ(written(tally, 110s).grantedPerKs, 2000U);
  EXPECT_EQ(written(tally, 120s).grantedPerKs, 0U);
}

TEST(BoardTally, TheLatestErrorsComeFirstAndOldOnesGo) {
  BoardTally tally;
  for (int i = 0; i < 20; ++i) tally.acquireFailed("hello", Error(Remedy::retry, "number " + std::to_string(i)));
  tally.cloneFailed("hello", pool::Phase::renew, Error(Remedy::giveUp, "a hook failed"));
  const board::Board board = written(tally, 1s);
  EXPECT_EQ(board.refused, 20U);
  ASSERT_EQ(board.errors.size(), board::kMostErrors);
  EXPECT_EQ(board.errors[0].text, "clone, renew of hello: a hook failed");
  EXPECT_EQ(board.errors[1].text, "acquire of hello: number 19");
}

}  // namespace
}  // namespace qm
