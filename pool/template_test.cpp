// How a template comes to a snapshot, and what happens when that is of no use.
#include <chrono>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clone/trials.h"
#include "pool/pool_test.h"

namespace qm::pool {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using State = TemplateStatus::State;

TEST_F(PoolTest, ATemplateIsBootedWarmedHookedAndFrozenInThatOrder) {
  start();
  Recipe recipe = recipeOf("hello", 0);
  recipe.warmUp = {{"import"}, {"touch"}};
  recipe.beforeSnapshot = {{"settle"}};
  putAndBuild(recipe);
  EXPECT_THAT(vms.history(), ElementsAre("spawn", "boot", "connect", "ping", "run import", "run touch", "run settle",
                                         "ping", "save", "end"));
  EXPECT_EQ(shelf.published(), 1U);
  EXPECT_EQ(observer.count("templateBuilt"), 1);
}

TEST_F(PoolTest, ATemplateIsLearnedFromTrialClonesThatAreGoneBeforeItIsReady) {
  shelf.haveFiles();
  start();
  Recipe recipe = recipeOf("hello", 0);
  recipe.rehearsal = {{"echo"}};
  putAndBuild(recipe);
  EXPECT_EQ(vms.count("run echo"), kTrials);
  EXPECT_EQ(vms.count("observe"), kTrials);
  EXPECT_EQ(vms.count("prepare " + std::to_string(kTrials)), 1U);
  EXPECT_EQ(vms.alive(), 0U);
}

TEST_F(PoolTest, ARehearsalThatFailsCostsWhatWouldHaveBeenLearnedAndNothingElse) {
  shelf.haveFiles();
  start();
  Recipe recipe = recipeOf("hello", 0);
  recipe.rehearsal = {{"false"}};
  putAndBuild(recipe);
  EXPECT_EQ(vms.count("observe"), 0U);
  EXPECT_EQ(vms.alive(), 0U);
  EXPECT_TRUE(acquire("hello", Road::spawn));
}

TEST_F(PoolTest, AWarmUpThatFailsFailsTheTemplateAndLeavesNothing) {
  start();
  Recipe recipe = recipeOf("hello", 0);
  recipe.warmUp = {{"false"}};
  put(recipe);
  ASSERT_TRUE(pool->build("hello"));
  eventually([&] { return stateOf("hello") == State::failed; });
  EXPECT_THAT(pool->findTemplate("hello")->status.detail, HasSubstr("said no"));
  EXPECT_EQ(vms.alive(), 0U);
  EXPECT_EQ(shelf.staging(), 0);
}

TEST_F(PoolTest, APoolThatWantsClonesBuildsItsTemplateUnasked) {
  start();
  put(recipeOf("hello", 1));
  awaitReady("hello", 1);
}

TEST_F(PoolTest, ASnapshotThatIsRefusedMeansABootAndARebuild) {
  start();
  putAndBuild(recipeOf("hello", 0));
  vms.fail(Phase::restore, 1, Error(Remedy::fixInput, "taken on another CPU"));
  shelf.refusePublish(true);  // else the rebuild might be done before the acquire looks again
  const auto grant = acquire("hello");
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->road, Road::boot);
  EXPECT_EQ(vms.count("restore"), 1U);
  eventually([&] { return observer.count("templateFailed") > 0 && shelf.published() == 0; });
  shelf.refusePublish(false);
  build("hello");
  EXPECT_EQ(acquire("hello")->road, Road::spawn);
}

TEST_F(PoolTest, ARestoreThatFailsIsTriedAgainThenTheSnapshotIsGivenUp) {
  start({.blanks = 0, .cloneAttempts = 3});
  putAndBuild(recipeOf("hello", 0));
  vms.fail(Phase::restore, 3);
  const auto grant = acquire("hello");
  ASSERT_TRUE(grant);
  EXPECT_EQ(grant->road, Road::boot);
  EXPECT_EQ(observer.count("cloneFailed restore"), 3);
}

TEST_F(PoolTest, ATemplateWhoseSnapshotIsUnusableIsRebuiltUnasked) {
  start();
  putAndBuild(recipeOf("hello", 1));
  awaitReady("hello", 1);
  vms.fail(Phase::restore, 1, Error(Remedy::fixInput, "taken on another CPU"));
  ASSERT_EQ(acquire("hello")->road, Road::ready);
  eventually([&] { return observer.count("templateBuilt") == 2; });
  awaitReady("hello", 1);
}

TEST_F(PoolTest, ABuildThatWasShortOfSomethingIsTriedAgainForAPool) {
  start();
  shelf.refusePublish(true);
  put(recipeOf("hello", 1));
  eventually([&] { return observer.count("templateFailed") >= 2; });
  shelf.refusePublish(false);
  clock.advance(milliseconds(60'000));
  awaitReady("hello", 1);
}

TEST_F(PoolTest, ACorruptSnapshotOnTheShelfIsBuiltAnew) {
  start();
  putAndBuild(recipeOf("hello", 0));
  start();
  shelf.corrupt(1);
  put(recipeOf("hello", 1));
  awaitReady("hello", 1);
  EXPECT_EQ(vms.count("save"), 2U);
  EXPECT_EQ(shelf.published(), 1U);
}

TEST_F(PoolTest, AWholeSnapshotOnTheShelfServesTheNextPool) {
  start();
  putAndBuild(recipeOf("hello", 0));
  start();
  put(recipeOf("hello", 1));
  awaitReady("hello", 1);
  EXPECT_EQ(vms.count("save"), 1U);
}

TEST_F(PoolTest, ANewRecipeRetiresTheClonesOfTheOld) {
  start();
  putAndBuild(recipeOf("hello", 2));
  awaitReady("hello", 2);
  Recipe changed = recipeOf("hello", 2);
  changed.memoryBytes = 256ULL << 20;
  put(changed);
  eventually([&] { return observer.count("templateBuilt") == 2; });
  awaitReady("hello", 2);
  eventually([&] { return vms.alive() == 2 && shelf.published() == 1; });
}

TEST_F(PoolTest, ASmallerPoolKeepsItsSnapshotAndEndsWhatIsTooMuch) {
  start();
  putAndBuild(recipeOf("hello", 3));
  awaitReady("hello", 3);
  put(recipeOf("hello", 1));
  eventually([&] { return vms.alive() == 1; });
  EXPECT_EQ(observer.count("templateBuilt"), 1);
}

TEST_F(PoolTest, ARecipeThatMakesNoSenseIsRefusedInOneSentence) {
  start();
  Recipe recipe = recipeOf("Hello!", 1);
  EXPECT_THAT(pool->putTemplate(recipe).error().text(), HasSubstr("name"));
  recipe = recipeOf("hello", 1);
  recipe.vcpus = 9;
  EXPECT_THAT(pool->putTemplate(recipe).error().text(), HasSubstr("vcpus is 9"));
  recipe = recipeOf("hello", 1);
  recipe.warmUp = {{}};
  EXPECT_THAT(pool->putTemplate(recipe).error().text(), HasSubstr("warm-up"));
}

}  // namespace
}  // namespace qm::pool
