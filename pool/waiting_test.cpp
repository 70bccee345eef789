// Callers who wait: for a ready clone, for their turn, for a place.
#include <atomic>
#include <chrono>
#include <set>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/board/board.h"
#include "pool/pool_test.h"

namespace qm::pool {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using State = TemplateStatus::State;

TEST_F(PoolTest, AnAcquireThatWaitsTakesTheReadyCloneThatComes) {
  start();
  putAndBuild(recipeOf("hello", 1));
  awaitReady("hello", 1);
  vms.closeGate();
  ASSERT_EQ(acquire("hello")->road, Road::ready);
  std::thread opener([&] {
    std::this_thread::sleep_for(milliseconds(5));
    vms.openGate();
  });
  EXPECT_EQ(acquire("hello", std::nullopt, std::chrono::hours(1))->road, Road::ready);
  opener.join();
}

TEST_F(PoolTest, AnAcquireThatHasWaitedLongEnoughTakesASlowerRoad) {
  start();
  putAndBuild(recipeOf("hello", 1));
  awaitReady("hello", 1);
  vms.closeGate();
  ASSERT_EQ(acquire("hello")->road, Road::ready);
  std::thread time([&] {
    // Again and again: its 500 ms may begin after the first.
    eventually([&] {
      clock.advance(milliseconds(500));
      return pool->load().inLine == 1;
    });
    vms.openGate();
  });
  EXPECT_EQ(acquire("hello", std::nullopt, milliseconds(500))->road, Road::spawn);
  time.join();
}

TEST_F(PoolTest, ManyMissesAtOnceAreServedInTurnByAsManyMakersAsThereAre) {
  start({.refillsAtOnce = 2, .blanks = 0});
  putAndBuild(recipeOf("hello", 0));
  vms.closeGate();
  constexpr int kCallers = 8;
  std::atomic<int> granted = 0;
  std::vector<std::thread> callers;
  for (int i = 0; i < kCallers; ++i) callers.emplace_back([&] { granted += acquire("hello").has_value() ? 1 : 0; });
  eventually([&] { return vms.alive() == 2; });
  std::this_thread::sleep_for(milliseconds(20));
  EXPECT_EQ(vms.alive(), 2U);
  vms.openGate();
  for (std::thread& caller : callers) caller.join();
  EXPECT_EQ(granted, kCallers);
  EXPECT_EQ(observer.count("acquired spawn"), kCallers);
}

TEST_F(PoolTest, AMissTakesTheCloneThatWasBeingMadeForTheReady) {
  start({.refillsAtOnce = 1, .blanks = 0});
  putAndBuild(recipeOf("hello", 1));
  awaitReady("hello", 1);
  vms.closeGate();
  const auto first = acquire("hello");
  ASSERT_EQ(first->road, Road::ready);
  eventually([&] { return vms.alive() == 2; });  // the refill, held up at the gate
  clock.advance(milliseconds(1));
  std::thread opener([&] {
    std::this_thread::sleep_for(milliseconds(5));
    vms.openGate();
  });
  const auto second = acquire("hello");
  opener.join();
  ASSERT_TRUE(second);
  EXPECT_EQ(second->road, Road::spawn);
  std::vector<Phase> phases;
  for (const auto& [phase, took] : second->phases.entries()) phases.push_back(phase);
  EXPECT_THAT(phases, ElementsAre(Phase::take, Phase::wait));
}

TEST_F(PoolTest, ATeardownThatLagsHoldsBackWhatIsMadeAhead) {
  start({.refillsAtOnce = 1, .blanks = 0, .endingAtOnce = 2});
  putAndBuild(recipeOf("hello", 1));
  awaitReady("hello", 1);
  vms.holdEnds();
  const auto first = acquire("hello");
  awaitReady("hello", 1);
  ASSERT_TRUE(pool->release(first->id));
  ASSERT_EQ(acquire("hello")->road, Road::ready);  // it is not replaced
  ASSERT_EQ(acquire("hello")->road, Road::spawn);  // who waits is served all the same
  EXPECT_EQ(viewOf("hello").ready, 0U);
  vms.letEndsFlow();
  awaitReady("hello", 1);
}

TEST_F(PoolTest, WhoWaitsTooLongOrBehindTooManyIsToldToComeAgain) {
  start({.refillsAtOnce = 1, .blanks = 0, .longestLine = 2, .longestInLine = milliseconds(50)});
  putAndBuild(recipeOf("hello", 0));
  vms.closeGate();
  std::vector<std::thread> tenants;
  std::atomic<int> granted = 0;
  for (std::uint32_t i = 1; i <= 2; ++i) {
    tenants.emplace_back([&] { granted += acquire("hello").has_value() ? 1 : 0; });
    eventually([&] { return pool->load().inLine == i; });
  }
  EXPECT_THAT(acquire("hello").error().text(), HasSubstr("the host is busy"));
  clock.advance(milliseconds(50));
  for (std::thread& tenant : tenants) tenant.join();
  EXPECT_EQ(granted, 0);
  EXPECT_EQ(pool->load().inLine, 0U);
  vms.openGate();
}

TEST_F(PoolTest, ManyBootsAtOnceWaitForAPlace) {
  start({.refillsAtOnce = 2, .blanks = 0});
  putAndBuild(recipeOf("hello", 0));
  vms.closeGate();
  constexpr std::uint32_t kTenants = 6;
  std::atomic<std::uint32_t> granted = 0;
  std::vector<std::thread> tenants;
  for (std::uint32_t i = 0; i < kTenants; ++i) {
    tenants.emplace_back([&] { granted += acquire("hello", Road::boot).has_value() ? 1 : 0; });
  }
  eventually([&] { return pool->load().inLine == kTenants - 2; });
  EXPECT_EQ(pool->load().making, 2U);
  vms.openGate();
  for (std::thread& tenant : tenants) tenant.join();
  EXPECT_EQ(granted, kTenants);
  EXPECT_EQ(pool->load(), Load{});
}

TEST_F(PoolTest, AMissIsToldWithItsCause) {
  start();
  put(recipeOf("hello", 0));
  ASSERT_TRUE(acquire("hello"));
  EXPECT_EQ(observer.count("missed no_snapshot"), 1);
  eventually([&] { return stateOf("hello") == State::ready; });
  ASSERT_TRUE(acquire("hello"));
  EXPECT_EQ(observer.count("missed no_pool"), 1);
}

TEST_F(PoolTest, ManyAcquireAndReleaseAtOnce) {
  start({.blanks = 2});
  putAndBuild(recipeOf("hello", 4));
  std::vector<std::thread> tenants;
  std::mutex mutex;
  std::set<LeaseId> seen;
  for (int tenant = 0; tenant < 8; ++tenant) {
    tenants.emplace_back([&] {
      for (int round = 0; round < 25; ++round) {
        const auto grant = acquire("hello");
        ASSERT_TRUE(grant);
        EXPECT_TRUE(pool->ping(grant->id));
        EXPECT_TRUE(pool->release(grant->id));
        const std::lock_guard lock(mutex);
        seen.insert(grant->id);
      }
    });
  }
  for (std::thread& tenant : tenants) tenant.join();
  EXPECT_EQ(seen.size(), 200U);
  clock.advance(Board::kRest);  // the last clone's, before the refill of what it was taken from
  awaitReady("hello", 4);
  eventually([&] { return vms.alive() == 4 + pool->blanks() && pool->blanks() == 2; });
}

}  // namespace
}  // namespace qm::pool
