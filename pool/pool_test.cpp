// The roads to a clone, and the end of them all.
#include "pool/pool_test.h"

#include <chrono>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace qm::pool {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using State = TemplateStatus::State;

TEST_F(PoolTest, AnAcquireTakesAReadyCloneWhichIsReplaced) {
  start();
  putAndBuild(recipeOf("hello", 2));
  awaitReady("hello", 2);
  const auto grant = acquire("hello");
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->road, Road::ready);
  EXPECT_EQ(grant->expiresAt, clock.wallNow() + milliseconds(1000));
  awaitReady("hello", 2);
  EXPECT_EQ(vms.alive(), 3U);
  EXPECT_EQ(observer.count("acquired ready"), 1);
}

TEST_F(PoolTest, AMissIsRestoredIntoABlankWhileThereIsOne) {
  start({.blanks = 1});
  putAndBuild(recipeOf("hello", 0));
  eventually([&] { return pool->blanks() == 1; });
  const auto grant = acquire("hello");
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->road, Road::blank);
  eventually([&] { return pool->blanks() == 1; });
}

TEST_F(PoolTest, AMissWithoutABlankIsRestoredIntoAFreshProcess) {
  start();
  putAndBuild(recipeOf("hello", 0));
  const auto grant = acquire("hello");
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->road, Road::spawn);
  std::vector<Phase> phases;
  for (const auto& [phase, took] : grant->phases.entries()) phases.push_back(phase);
  EXPECT_THAT(phases, ElementsAre(Phase::take, Phase::wait, Phase::spawn, Phase::restore, Phase::connect, Phase::renew,
                                  Phase::ping));
}

TEST_F(PoolTest, AMissingSnapshotMeansABootAndABuild) {
  start();
  put(recipeOf("hello", 0));
  const auto grant = acquire("hello");
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->road, Road::boot);
  eventually([&] { return stateOf("hello") == State::ready; });
}

TEST_F(PoolTest, ABootedVmIsWarmedAndRenewedAsACloneIs) {
  start();
  Recipe recipe = recipeOf("hello", 0);
  recipe.warmUp = {{"import"}};
  recipe.beforeSnapshot = {{"settle"}};
  recipe.afterRestore = {{"reseed"}};
  putAndBuild(recipe);
  ASSERT_TRUE(acquire("hello", Road::boot));
  ASSERT_EQ(vms.identities().size(), 1U);
  EXPECT_THAT(vms.historyOf(vms.identities()[0].cloneId),
              ElementsAre("spawn", "boot", "connect", "ping", "run import", "run settle", "renew", "ping"));
  EXPECT_THAT(vms.identities()[0].hooks, ElementsAre(Command{"reseed"}));
}

TEST_F(PoolTest, OnlyACloneWhoseRenewalDoesNotEchoItsNonceIsPinged) {
  start();
  putAndBuild(recipeOf("hello", 0));
  const std::size_t before = vms.count("ping");
  ASSERT_TRUE(acquire("hello"));
  EXPECT_EQ(vms.count("ping"), before + 1);
  vms.echoNonces();
  ASSERT_TRUE(acquire("hello"));
  EXPECT_EQ(vms.count("ping"), before + 1);
}

TEST_F(PoolTest, ACloneThatFailsRenewalIsDestroyedCountedAndNeverHandedOut) {
  start();
  putAndBuild(recipeOf("hello", 0));
  vms.fail(Phase::renew, 1);
  ASSERT_TRUE(acquire("hello"));
  EXPECT_EQ(observer.count("cloneFailed renew"), 1);
  EXPECT_EQ(vms.alive(), 1U);
  EXPECT_EQ(vms.count("restore"), 2U);
}

TEST_F(PoolTest, ACloneThatDoesNotAnswerIsDestroyedCountedAndNeverHandedOut) {
  start();
  putAndBuild(recipeOf("hello", 0));
  vms.fail(Phase::ping, 1);
  const auto failed = acquire("hello", Road::spawn);
  ASSERT_FALSE(failed);
  EXPECT_EQ(observer.count("cloneFailed ping"), 1);
  EXPECT_EQ(vms.alive(), 0U);
}

TEST_F(PoolTest, AGuestThatRebootedIsNoClone) {
  start();
  putAndBuild(recipeOf("hello", 0));
  vms.forgetMemory();
  const auto failed = acquire("hello", Road::spawn);
  ASSERT_FALSE(failed);
  EXPECT_THAT(failed.error().text(), HasSubstr("memory is not the template's"));
  EXPECT_EQ(vms.alive(), 0U);
}

TEST_F(PoolTest, AProcessThatDiedWhileItWaitedIsPassedOver) {
  start();
  putAndBuild(recipeOf("hello", 1));
  awaitReady("hello", 1);
  vms.killAll();
  const auto grant = acquire("hello");
  ASSERT_TRUE(grant);
  EXPECT_EQ(observer.count("cloneFailed take"), 1);
  EXPECT_TRUE(pool->ping(grant->id));
}

TEST_F(PoolTest, EachRoadCanBeForced) {
  start({.blanks = 1});
  putAndBuild(recipeOf("hello", 1));
  for (const Road road : {Road::ready, Road::blank, Road::spawn, Road::boot}) {
    const auto grant = acquire("hello", road, std::chrono::hours(1));
    ASSERT_TRUE(grant) << name(road) << ": " << grant.error().text();
    EXPECT_EQ(grant->road, road);
  }
}

TEST_F(PoolTest, AForcedRoadThatIsNotOpenIsAnError) {
  start();
  put(recipeOf("hello", 0));
  EXPECT_THAT(acquire("hello", Road::ready).error().text(), HasSubstr("no clone is ready"));
  EXPECT_THAT(acquire("hello", Road::spawn).error().text(), HasSubstr("no usable snapshot"));
  build("hello");
  EXPECT_THAT(acquire("hello", Road::blank).error().text(), HasSubstr("no blank process"));
  EXPECT_EQ(vms.count("restore"), 0U);
}

TEST_F(PoolTest, NoTwoClonesShareAnIdentity) {
  start();
  constexpr std::size_t kClones = 20;
  putAndBuild(recipeOf("hello", kClones));
  awaitReady("hello", kClones);
  std::set<std::vector<std::byte>> entropy;
  std::set<std::string> hostnames;
  std::set<std::string> machineIds;
  std::set<std::string> cloneIds;
  for (const agent::Renew& identity : vms.identities()) {
    EXPECT_EQ(identity.entropy.size(), 64U);
    entropy.insert(identity.entropy);
    hostnames.insert(identity.hostname);
    machineIds.insert(identity.machineId);
    cloneIds.insert(identity.cloneId);
  }
  EXPECT_EQ(entropy.size(), kClones);
  EXPECT_EQ(hostnames.size(), kClones);
  EXPECT_EQ(machineIds.size(), kClones);
  EXPECT_EQ(cloneIds.size(), kClones);
}

TEST_F(PoolTest, ShutdownLeavesNoProcess) {
  start({.blanks = 1});
  putAndBuild(recipeOf("hello", 2));
  awaitReady("hello", 2);
  const auto grant = acquire("hello");
  vms.closeGate();  // the refill hangs in its restore
  std::thread runner([&] { EXPECT_FALSE(pool->exec(grant->id, {.argv = {"sleep"}})); });
  vms.awaitSleeper();
  pool->shutdown();
  runner.join();
  EXPECT_EQ(vms.alive(), 0U);
  EXPECT_FALSE(acquire("hello"));
  EXPECT_EQ(observer.count("leaseEnded shutdown"), 1);
  EXPECT_EQ(observer.count("cloneFailed restore"), 0);
}

}  // namespace
}  // namespace qm::pool
