// What a lease allows, and how it ends.
#include <chrono>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/pool_test.h"

namespace qm::pool {
namespace {

using std::chrono::milliseconds;

TEST_F(PoolTest, ALeaseRunsCommandsInItsVm) {
  start();
  putAndBuild(recipeOf("hello", 0));
  const auto grant = acquire("hello");
  const auto ran = pool->exec(grant->id, {.argv = {"echo", "hi"}});
  ASSERT_TRUE(ran);
  EXPECT_EQ(ran->out.size(), 2U);
  EXPECT_EQ(pool->ping(grant->id)->pong.handledUs, 7U);
}

TEST_F(PoolTest, OnlyItsTokenOpensALease) {
  start();
  putAndBuild(recipeOf("hello", 0));
  const auto grant = acquire("hello");
  EXPECT_EQ(grant->token.size(), 64U);
  EXPECT_EQ(pool->access(grant->id, grant->token), Access::granted);
  EXPECT_EQ(pool->access(grant->id, std::string(64, '0')), Access::wrongToken);
  EXPECT_EQ(pool->access("lease-none", grant->token), Access::noSuchLease);
  ASSERT_TRUE(pool->release(grant->id));
  EXPECT_EQ(pool->access(grant->id, grant->token), Access::ended);
}

TEST_F(PoolTest, AReleasedVmIsDestroyedAndReleasingAgainIsFree) {
  start();
  putAndBuild(recipeOf("hello", 0));
  const auto grant = acquire("hello");
  ASSERT_TRUE(pool->release(grant->id));
  EXPECT_EQ(vms.alive(), 0U);                         // at once; its remains are taken away in their time
  eventually([&] { return vms.count("end") == 2; });  // and that of the template's
  EXPECT_TRUE(pool->release(grant->id));
  EXPECT_FALSE(pool->ping(grant->id));
  EXPECT_FALSE(pool->release("lease-never"));
  EXPECT_EQ(observer.count("leaseEnded released"), 1);
}

TEST_F(PoolTest, ALeaseEndsByItselfUnlessItIsRenewed) {
  start();
  putAndBuild(recipeOf("hello", 0));
  const auto kept = acquire("hello");
  const auto lost = acquire("hello");
  clock.advance(milliseconds(999));
  ASSERT_TRUE(pool->renew(kept->id, milliseconds(1000)));
  clock.advance(milliseconds(1));
  EXPECT_FALSE(pool->ping(lost->id));
  eventually([&] { return observer.count("leaseEnded expired") == 1; });
  EXPECT_EQ(vms.alive(), 1U);
  EXPECT_TRUE(pool->ping(kept->id));
  EXPECT_FALSE(pool->renew(lost->id, milliseconds(1000)));
}

TEST_F(PoolTest, AReleaseEndsTheRunThatIsUnderWay) {
  start();
  putAndBuild(recipeOf("hello", 0));
  const auto grant = acquire("hello");
  std::thread runner([&] { EXPECT_FALSE(pool->exec(grant->id, {.argv = {"sleep"}})); });
  vms.awaitSleeper();
  EXPECT_TRUE(pool->release(grant->id));
  runner.join();
  EXPECT_EQ(vms.alive(), 0U);
}

TEST_F(PoolTest, AReleaseAnswersWhenTheVmIsDeadNotWhenItIsGone) {
  start();
  putAndBuild(recipeOf("hello", 0));
  const auto grant = acquire("hello");
  vms.holdEnds();
  ASSERT_TRUE(pool->release(grant->id));
  EXPECT_EQ(vms.alive(), 0U);
  EXPECT_EQ(vms.count("end"), 1U);  // the template's own
  EXPECT_EQ(pool->load().ending, 1U);
  EXPECT_EQ(observer.count("tornDown"), 0);
  vms.letEndsFlow();
  eventually([&] { return observer.count("tornDown") == 1; });
  EXPECT_EQ(pool->load().ending, 0U);
}

TEST_F(PoolTest, ARemovedTemplateLeavesItsLeasesAlone) {
  start();
  putAndBuild(recipeOf("hello", 1));
  awaitReady("hello", 1);
  const auto grant = acquire("hello");
  ASSERT_TRUE(pool->removeTemplate("hello"));
  EXPECT_FALSE(pool->removeTemplate("hello"));
  EXPECT_FALSE(acquire("hello"));
  EXPECT_TRUE(pool->ping(grant->id));
  eventually([&] { return vms.alive() == 1 && shelf.published() == 0; });
}

}  // namespace
}  // namespace qm::pool
