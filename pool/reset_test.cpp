// What becomes of a VM whose template allows it to be reset.
#include <chrono>
#include <set>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/pool_test.h"

namespace qm::pool {
namespace {

using State = TemplateStatus::State;

Recipe reusedOf(std::string name, std::uint32_t poolSize) {
  Recipe recipe = recipeOf(std::move(name), poolSize);
  recipe.reuse = Reuse::reset;
  return recipe;
}

// A pool with a clone ready.
class ResetTest : public PoolTest {
 protected:
  ResetTest() { start({.refillsAtOnce = 1, .blanks = 0}); }
  void keepOne(const Recipe& recipe) {
    putAndBuild(recipe);
    awaitReady(recipe.name, 1);
  }
  // A tenant comes, and its place is filled.
  LeaseId take(const std::string& name) {
    const auto grant = acquire(name, Road::ready);
    awaitReady(name, 1);
    return grant ? grant->id : LeaseId();
  }
  // And goes.
  void useOne(const std::string& name) {
    const LeaseId lease = take(name);
    ASSERT_TRUE(pool->release(lease));
  }
};

TEST_F(ResetTest, AReleasedVmIsReadyAgainAndNoneIsSpawnedFromThereOn) {
  keepOne(reusedOf("hello", 1));
  useOne("hello");
  awaitReady("hello", 2);
  EXPECT_EQ(vms.count("reset"), 1U);
  EXPECT_EQ(vms.alive(), 2U);
  const std::size_t spawned = vms.count("spawn");
  for (int i = 0; i < 5; ++i) {
    const auto grant = acquire("hello", Road::ready);
    ASSERT_TRUE(pool->release(grant->id));
    awaitReady("hello", 2);
  }
  EXPECT_EQ(vms.count("reset"), 6U);
  EXPECT_EQ(vms.count("spawn"), spawned);
  EXPECT_EQ(observer.count("resetFailed reset"), 0);
}

TEST_F(ResetTest, ItIsRenewedAndAskedAsAnyCloneIs) {
  vms.echoNonces();
  keepOne(reusedOf("hello", 1));
  useOne("hello");
  awaitReady("hello", 2);
  std::set<std::string> names, machines, clones;
  std::set<std::uint64_t> nonces;
  const auto identities = vms.identities();
  for (const agent::Renew& identity : identities) {
    names.insert(identity.hostname);
    machines.insert(identity.machineId);
    clones.insert(identity.cloneId);
    nonces.insert(identity.nonce);
  }
  for (const std::size_t different : {names.size(), machines.size(), clones.size(), nonces.size()}) {
    EXPECT_EQ(different, identities.size());
  }
}

TEST_F(ResetTest, WhereTheRecipeDoesNotSayItNothingIsReset) {
  keepOne(recipeOf("hello", 1));
  useOne("hello");
  eventually([&] { return observer.count("tornDown") == 1; });
  EXPECT_EQ(vms.count("reclaim"), 0U);
  EXPECT_EQ(vms.count("reset"), 0U);
}

TEST_F(ResetTest, OneThatFailsInAnyStepIsDestroyedCountedAndNothingIsHeldAgainstTheSnapshot) {
  keepOne(reusedOf("hello", 1));
  for (const Phase phase : {Phase::reset, Phase::connect, Phase::renew, Phase::ping}) {
    const LeaseId lease = take("hello");
    vms.fail(phase, 1, Error(Remedy::fixInput, "as the test wants"));
    ASSERT_TRUE(pool->release(lease));
    const std::string counted = "resetFailed " + std::string(name(phase));
    eventually([&] { return observer.count(counted) == 1; });
    eventually([&] { return vms.alive() == 1; });
  }
  EXPECT_EQ(stateOf("hello"), State::ready);
  EXPECT_EQ(viewOf("hello").ready, 1U);
  EXPECT_EQ(observer.count("templateBuilt"), 1);
}

TEST_F(ResetTest, AGuestWithAnotherMemoryThanTheTemplatesIsDestroyed) {
  keepOne(reusedOf("hello", 1));
  const LeaseId lease = take("hello");
  vms.forgetMemory();
  ASSERT_TRUE(pool->release(lease));
  eventually([&] { return observer.count("resetFailed ping") == 1; });
  eventually([&] { return vms.alive() == 1; });
}

TEST_F(ResetTest, OneWhoseProcessCannotBeHadIsDestroyed) {
  keepOne(reusedOf("hello", 1));
  const LeaseId lease = take("hello");
  vms.fail(Phase::take, 1);
  ASSERT_TRUE(pool->release(lease));
  EXPECT_EQ(observer.count("resetFailed take"), 1);
  EXPECT_EQ(vms.alive(), 1U);
  EXPECT_EQ(viewOf("hello").making, 0U);
}

TEST_F(ResetTest, AVmThatWasBootedIsDestroyed) {
  keepOne(reusedOf("hello", 1));
  const auto grant = acquire("hello", Road::boot);
  ASSERT_TRUE(grant);
  ASSERT_TRUE(pool->release(grant->id));
  EXPECT_EQ(vms.count("reclaim"), 0U);
  EXPECT_EQ(vms.alive(), 1U);
}

TEST_F(ResetTest, AVmOfAnEarlierSnapshotIsDestroyed) {
  keepOne(reusedOf("hello", 1));
  const auto grant = acquire("hello", Road::ready);
  Recipe other = reusedOf("hello", 1);
  other.bootArguments = "other";
  putAndBuild(other);
  awaitReady("hello", 1);
  ASSERT_TRUE(pool->release(grant->id));
  EXPECT_EQ(vms.count("reclaim"), 0U);
  EXPECT_EQ(vms.alive(), 1U);
}

TEST_F(ResetTest, ALeaseThatExpiresIsAReset) {
  keepOne(reusedOf("hello", 1));
  take("hello");
  clock.advance(std::chrono::milliseconds(1000));
  awaitReady("hello", 2);
  EXPECT_EQ(vms.count("reset"), 1U);
}

TEST_F(ResetTest, TheFormerTenantsRunEndsAndItsVmIsNobodys) {
  keepOne(reusedOf("hello", 1));
  const auto grant = acquire("hello", Road::ready);
  std::thread runner([&] { EXPECT_FALSE(pool->exec(grant->id, {.argv = {"sleep"}})); });
  vms.awaitSleeper();
  EXPECT_TRUE(pool->release(grant->id));
  runner.join();
  EXPECT_FALSE(pool->ping(grant->id));
}

TEST_F(ResetTest, TwiceAsManyAsAreKeptReadyAreEnough) {
  keepOne(reusedOf("hello", 1));
  std::vector<LeaseId> leases;
  for (int i = 0; i < 4; ++i) leases.push_back(acquire("hello")->id);
  awaitReady("hello", 1);
  for (const LeaseId& lease : leases) ASSERT_TRUE(pool->release(lease));
  awaitReady("hello", 2);
  eventually([&] { return vms.alive() == 2; });
}

TEST_F(ResetTest, WhereNoneIsKeptReadyItServesWhoWaits) {
  putAndBuild(reusedOf("hello", 0));
  const auto first = acquire("hello");
  vms.closeGate();
  std::thread waiting([&] {
    const auto second = acquire("hello");
    ASSERT_TRUE(second);
    EXPECT_TRUE(pool->ping(second->id));
  });
  // Its clone is on its way, so that nobody is short of one.
  eventually([&] { return viewOf("hello").making == 1; });
  ASSERT_TRUE(pool->release(first->id));
  EXPECT_EQ(vms.count("reclaim"), 0U);
  vms.openGate();
  waiting.join();
}

TEST_F(ResetTest, WhenResetsAreForbiddenReadyClonesThatMayHaveHadATenantGo) {
  keepOne(reusedOf("hello", 1));
  useOne("hello");
  awaitReady("hello", 2);
  const std::size_t spawned = vms.count("spawn");
  put(recipeOf("hello", 1));
  awaitReady("hello", 1);
  eventually([&] { return vms.count("spawn") == spawned + 1; });
  eventually([&] { return vms.alive() == 1; });
  EXPECT_EQ(observer.count("templateBuilt"), 1);
  useOne("hello");
  EXPECT_EQ(vms.count("reset"), 1U);
}

TEST_F(ResetTest, ShutdownLeavesNoneThatWaitsToBeReset) {
  keepOne(reusedOf("hello", 1));
  const LeaseId lease = take("hello");
  vms.closeGate();
  ASSERT_TRUE(pool->release(lease));
  pool->shutdown();
  EXPECT_EQ(vms.alive(), 0U);
}

}  // namespace
}  // namespace qm::pool
