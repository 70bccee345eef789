// Callers who have no thread to wait with: what they begin, and what becomes of what they give up.
#include <chrono>
#include <memory>
#include <optional>
#include <utility>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/pool_test.h"
#include "vmm/os/wait.h"

namespace qm::pool {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;
using Place = std::unique_ptr<Awaited<Acquired>>;

class BeginTest : public PoolTest {
 protected:
  Result<BegunAcquire> begin(std::optional<milliseconds> patience = {}) {
    return pool->beginAcquire({.templateName = "hello", .ttl = milliseconds(1000), .patience = patience});
  }
  Place beginInLine(std::optional<milliseconds> patience = {}) {
    return std::get<Place>(std::move(begin(patience)).value());
  }
  static Acquired outcomeOf(Awaited<Acquired>& awaited) {
    EXPECT_TRUE(waitReadable(awaited.file(), std::chrono::steady_clock::now() + std::chrono::seconds(5)).has_value());
    return awaited.take().value().value();
  }
  // A pool of one maker that is stopped in the middle of what it makes.
  void startStopped(PoolSettings settings = {.refillsAtOnce = 1, .blanks = 0}) {
    start(settings);
    putAndBuild(recipeOf("hello", 0));
    vms.closeGate();
  }
};

TEST_F(BeginTest, AReadyCloneIsHadAtOnce) {
  start();
  putAndBuild(recipeOf("hello", 1));
  awaitReady("hello", 1);
  const Grant grant = std::get<Grant>(begin().value());
  EXPECT_EQ(grant.road, Road::ready);
  EXPECT_TRUE(pool->ping(grant.id).has_value());
  EXPECT_EQ(observer.count("missed drained"), 0);
}

TEST_F(BeginTest, AReadyClonesAnswerComesBeforeItsRefill) {
  start();
  putAndBuild(recipeOf("hello", 1));
  awaitReady("hello", 1);
  Grant grant = std::get<Grant>(begin().value());
  EXPECT_EQ(observer.count("acquired ready"), 0);
  EXPECT_EQ(pool->load().making, 0U);
  grant.aftermath.reset();
  EXPECT_EQ(observer.count("acquired ready"), 1);
  awaitReady("hello", 1);
}

TEST_F(BeginTest, AMissIsServedByAMakerAndHeardOfByTheDescriptor) {
  startStopped();
  const Place place = beginInLine();
  EXPECT_EQ(pool->load().inLine, 1U);
  EXPECT_FALSE(place->take().has_value());
  vms.openGate();
  EXPECT_EQ(std::get<Grant>(outcomeOf(*place)).road, Road::spawn);
  EXPECT_EQ(observer.count("missed no_pool"), 1);
  EXPECT_EQ(observer.count("acquired spawn"), 1);
}

TEST_F(BeginTest, WhoGivesUpItsPlaceIsMadeNothing) {
  startStopped();
  const std::size_t before = vms.count("spawn");
  const Place first = beginInLine();
  eventually([&] { return vms.alive() == 1; });
  std::vector<Place> others;
  for (int i = 0; i < 5; ++i) others.push_back(beginInLine());
  EXPECT_EQ(pool->load().inLine, 6U);
  others.clear();
  EXPECT_EQ(pool->load().inLine, 1U);
  vms.openGate();
  ASSERT_TRUE(std::holds_alternative<Grant>(outcomeOf(*first)));
  eventually([&] { return pool->load().making == 0; });
  EXPECT_EQ(vms.count("spawn"), before + 1);
}

TEST_F(BeginTest, ACloneThatWasMadeForWhoIsGoneIsEnded) {
  startStopped();
  Place place = beginInLine();
  vms.openGate();
  ASSERT_TRUE(waitReadable(place->file(), std::chrono::steady_clock::now() + std::chrono::seconds(5)).has_value());
  EXPECT_EQ(vms.alive(), 1U);
  place.reset();
  eventually([&] { return vms.alive() == 0; });
  EXPECT_EQ(viewOf("hello").leased, 0U);
}

TEST_F(BeginTest, WhoWaitsBeyondItsPatienceIsRefusedWithoutWork) {
  startStopped();
  const Place first = beginInLine();
  eventually([&] { return vms.alive() == 1; });
  const Place second = beginInLine(milliseconds(50));
  clock.advance(milliseconds(50));
  const auto refused = second->take();
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->error().remedy(), Remedy::retry);
  EXPECT_THAT(refused->error().text(), HasSubstr("patience"));
  EXPECT_EQ(observer.count("acquireFailed"), 1);
  EXPECT_EQ(pool->load().inLine, 1U);
  vms.openGate();
}

TEST_F(BeginTest, WhoCouldNotBeServedWithinItsPatienceIsRefusedAtOnce) {
  startStopped();
  // A clone that takes a second, by the only clock that makers look at.
  const Place slow = beginInLine();
  eventually([&] { return vms.alive() == 1; });
  clock.advance(milliseconds(1000));
  vms.openGate();
  ASSERT_TRUE(std::holds_alternative<Grant>(outcomeOf(*slow)));
  vms.closeGate();
  const Place first = beginInLine();
  const auto refused = begin(milliseconds(1900));
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().remedy(), Remedy::retry);
  EXPECT_THAT(refused.error().text(), HasSubstr("1 wait for a VM to be made; one more would wait 2000 ms"));
  const Place second = beginInLine(milliseconds(2000));
  EXPECT_EQ(pool->load().inLine, 2U);
  vms.openGate();
}

TEST_F(BeginTest, WhatMayWaitIsLeftToAThread) {
  start();
  put(recipeOf("hello", 0));
  EXPECT_TRUE(std::holds_alternative<WouldWait>(begin().value())) << "a boot";
  EXPECT_TRUE(std::holds_alternative<WouldWait>(
      pool->beginAcquire({.templateName = "hello", .wait = milliseconds(1)}).value()));
  EXPECT_TRUE(
      std::holds_alternative<WouldWait>(pool->beginAcquire({.templateName = "hello", .forced = Road::boot}).value()));
  EXPECT_EQ(pool->beginAcquire({.templateName = "none"}).error().remedy(), Remedy::fixInput);
  EXPECT_EQ(observer.count("missed no_snapshot"), 0) << "told by the acquire that follows";
}

TEST_F(BeginTest, ASnapshotThatServesNoMoreIsLeftToAThreadToo) {
  startStopped({.refillsAtOnce = 1, .blanks = 0, .cloneAttempts = 1});
  vms.fail(Phase::restore, 1, Error(Remedy::fixInput, "as the test wants"));
  const Place place = beginInLine();
  vms.openGate();
  EXPECT_TRUE(std::holds_alternative<WouldWait>(outcomeOf(*place)));
}

TEST_F(BeginTest, AShutdownAnswersWhoStandsInLine) {
  startStopped();
  Place place = beginInLine();
  std::thread giver([&] {
    EXPECT_TRUE(waitReadable(place->file(), std::chrono::steady_clock::now() + std::chrono::seconds(5)).has_value());
    EXPECT_FALSE(std::holds_alternative<Grant>(place->take().value().value_or(WouldWait{})));
    place.reset();
  });
  pool->shutdown();
  giver.join();
}

}  // namespace
}  // namespace qm::pool
