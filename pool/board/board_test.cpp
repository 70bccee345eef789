#include "pool/board/board.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/vm/fake_vm.h"

namespace qm::pool {
namespace {

using std::chrono::milliseconds;
using State = TemplateStatus::State;

constexpr TimePoint kNow{std::chrono::hours(1)};

class BoardTest : public testing::Test {
 protected:
  static Recipe recipeOf(std::string name, std::uint32_t poolSize) {
    return {.name = std::move(name), .kernel = "vmlinux", .poolSize = poolSize};
  }
  Image image() { return std::make_shared<const TemplateImage>(TemplateImage{.guestNonce = ++nonce}); }
  void putAndBuild(const Recipe& recipe) {
    board.put(recipe);
    board.requestBuild(recipe.name);
    const auto job = board.nextBuild(kNow);
    ASSERT_TRUE(job);
    EXPECT_TRUE(board.built(*job, image()).images.empty());
  }
  State stateOf(std::string_view name) { return board.status(name)->state; }

  Board board{2};
  std::uint64_t nonce = 0;
  Error slow{Remedy::retry, "too slow"};
  Error refused{Remedy::fixInput, "another CPU"};
};

TEST_F(BoardTest, AsksForAsManyClonesAsAreWantedAndNoMore) {
  putAndBuild(recipeOf("hello", 2));
  EXPECT_TRUE(board.nextRefill(kNow));
  EXPECT_TRUE(board.nextRefill(kNow));
  EXPECT_FALSE(board.nextRefill(kNow));
}

TEST_F(BoardTest, RefillsThePoorestTemplateFirst) {
  putAndBuild(recipeOf("a", 3));
  putAndBuild(recipeOf("b", 3));
  EXPECT_EQ(board.nextRefill(kNow)->recipe.name, "a");
  EXPECT_EQ(board.nextRefill(kNow)->recipe.name, "b");
  EXPECT_EQ(board.nextRefill(kNow)->recipe.name, "a");
}

TEST_F(BoardTest, AsksForOneBuildAtATimeOfATemplate) {
  board.put(recipeOf("hello", 0));
  EXPECT_TRUE(board.requestBuild("hello"));
  EXPECT_TRUE(board.nextBuild(kNow));
  EXPECT_TRUE(board.requestBuild("hello"));
  EXPECT_FALSE(board.nextBuild(kNow));
  EXPECT_FALSE(board.requestBuild("other"));
}

TEST_F(BoardTest, ACloneOfAnOlderSnapshotIsNotTaken) {
  putAndBuild(recipeOf("hello", 1));
  const auto old = board.nextRefill(kNow);
  board.requestBuild("hello");
  const auto job = board.nextBuild(kNow);
  EXPECT_EQ(board.built(*job, image()).images.size(), 1U);
  EXPECT_FALSE(board.refilled(*old, nullptr));
  EXPECT_TRUE(board.nextRefill(kNow));
}

TEST_F(BoardTest, ASnapshotOfAnOlderRecipeIsDiscarded) {
  board.put(recipeOf("hello", 0));
  board.requestBuild("hello");
  const auto job = board.nextBuild(kNow);
  Recipe changed = recipeOf("hello", 0);
  changed.vcpus = 2;
  board.put(changed);
  EXPECT_EQ(board.built(*job, image()).images.size(), 1U);
  EXPECT_EQ(stateOf("hello"), State::none);
}

TEST_F(BoardTest, FailuresInARowMakeASnapshotUnusable) {
  putAndBuild(recipeOf("hello", 1));
  const auto source = board.source("hello");
  EXPECT_TRUE(board.cloneFailed(*source, Phase::renew, slow, kNow).images.empty());
  board.cloneWorked(*source);
  EXPECT_TRUE(board.cloneFailed(*source, Phase::ping, slow, kNow).images.empty());
  EXPECT_EQ(board.cloneFailed(*source, Phase::restore, slow, kNow).images.size(), 1U);
  EXPECT_EQ(stateOf("hello"), State::failed);
  EXPECT_EQ(board.nextBuild(kNow)->source, SnapshotSource::build);
}

TEST_F(BoardTest, ARefusedSnapshotIsUnusableAtOnce) {
  putAndBuild(recipeOf("hello", 1));
  EXPECT_EQ(board.cloneFailed(*board.source("hello"), Phase::restore, refused, kNow).images.size(), 1U);
}

TEST_F(BoardTest, AProcessThatDoesNotStartSaysNothingOfTheSnapshot) {
  putAndBuild(recipeOf("hello", 1));
  for (int i = 0; i < 10; ++i) board.cloneFailed(*board.source("hello"), Phase::spawn, slow, kNow);
  EXPECT_EQ(stateOf("hello"), State::ready);
  EXPECT_FALSE(board.nextRefill(kNow));
  EXPECT_GT(board.nextDue(kNow), kNow);
  EXPECT_TRUE(board.nextRefill(board.nextDue(kNow)));
}

TEST_F(BoardTest, WhoIsHandedACloneHasTheProcessorsForAWhile) {
  putAndBuild(recipeOf("hello", 4));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(board.refilled(*board.nextRefill(kNow), nullptr));
  board.takeReady("hello", kNow);
  EXPECT_FALSE(board.nextRefill(kNow));
  EXPECT_EQ(board.nextDue(kNow), kNow + Board::kRest);
  EXPECT_TRUE(board.nextRefill(kNow + Board::kRest));
}

TEST_F(BoardTest, TheCloneThatBecameReadyLastIsTakenFirst) {
  putAndBuild(recipeOf("hello", 2));
  FakeVms vms;
  for (const char* id : {"older", "younger"}) {
    const auto refill = board.nextRefill(kNow);
    ASSERT_TRUE(refill);
    EXPECT_TRUE(board.refilled(*refill, vms.spawn(id, VmPurpose::tenants).value()));
  }
  EXPECT_EQ(board.takeReady("hello", kNow)->id(), "younger");
  EXPECT_EQ(board.takeReady("hello", kNow)->id(), "older");
}

TEST_F(BoardTest, APoolThatRunsLowIsRefilledAtOnce) {
  putAndBuild(recipeOf("hello", 4));
  for (int i = 0; i < 4; ++i) EXPECT_TRUE(board.refilled(*board.nextRefill(kNow), nullptr));
  for (int i = 0; i < 2; ++i) board.takeReady("hello", kNow);
  EXPECT_TRUE(board.nextRefill(kNow));
}

TEST_F(BoardTest, ASnapshotThatNeverRestoresIsNotBuiltInACircle) {
  putAndBuild(recipeOf("hello", 1));
  board.cloneFailed(*board.source("hello"), Phase::restore, refused, kNow);
  const auto rebuild = board.nextBuild(kNow);
  ASSERT_TRUE(rebuild);
  board.built(*rebuild, image());
  board.cloneFailed(*board.source("hello"), Phase::restore, refused, kNow);
  EXPECT_FALSE(board.nextBuild(kNow));
  EXPECT_TRUE(board.nextBuild(kNow + std::chrono::minutes(1)));
}

TEST_F(BoardTest, AFailedRebuildLeavesTheSnapshotThatServes) {
  putAndBuild(recipeOf("hello", 1));
  board.requestBuild("hello");
  const auto job = board.nextBuild(kNow);
  board.buildFailed(*job, refused, kNow);
  EXPECT_EQ(stateOf("hello"), State::ready);
  EXPECT_TRUE(board.source("hello")->image);
}

TEST_F(BoardTest, ASnapshotThatFailsDuringARebuildLeavesTheRebuildAlone) {
  putAndBuild(recipeOf("hello", 1));
  board.requestBuild("hello");
  const auto job = board.nextBuild(kNow);
  EXPECT_EQ(board.cloneFailed(*board.source("hello"), Phase::restore, refused, kNow).images.size(), 1U);
  EXPECT_EQ(stateOf("hello"), State::building);
  EXPECT_TRUE(board.built(*job, image()).images.empty());
  EXPECT_EQ(stateOf("hello"), State::ready);
}

TEST_F(BoardTest, AReadyCloneIsExpectedOnlyWhereOneWillCome) {
  board.put(recipeOf("none", 0));
  board.put(recipeOf("soon", 1));
  EXPECT_FALSE(board.expectsReady("none"));
  EXPECT_TRUE(board.expectsReady("soon"));
  const auto job = board.nextBuild(kNow);
  board.buildFailed(*job, refused, kNow);
  EXPECT_FALSE(board.expectsReady("soon"));
}

TEST(Backoff, DoublesFromTheSecondFailureToAMinute) {
  Backoff backoff;
  backoff.failed(kNow);
  EXPECT_LE(backoff.until(), kNow);
  backoff.failed(kNow);
  EXPECT_EQ(backoff.until(), kNow + milliseconds(250));
  backoff.failed(kNow);
  EXPECT_EQ(backoff.until(), kNow + milliseconds(500));
  for (int i = 0; i < 100; ++i) backoff.failed(kNow);
  EXPECT_EQ(backoff.until(), kNow + std::chrono::minutes(1));
  backoff.worked();
  EXPECT_LE(backoff.until(), kNow);
}

}  // namespace
}  // namespace qm::pool
