#include "pool/pool.h"

#include <atomic>
#include <chrono>
#include <functional>
#include <set>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "pool/clock/fake_clock.h"
#include "pool/clone/trials.h"
#include "pool/fake_observer.h"
#include "pool/template/fake_shelf.h"
#include "pool/vm/fake_vm.h"

namespace qm::pool {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;
using State = TemplateStatus::State;

Recipe recipeOf(std::string name, std::uint32_t poolSize) {
  return {.name = std::move(name), .kernel = "vmlinux", .initrd = "initrd", .poolSize = poolSize};
}

class PoolTest : public testing::Test {
 protected:
  void start(PoolSettings settings = {.blanks = 0}) {
    pool.reset();
    pool.emplace(PoolWiring{.spawner = vms, .shelf = shelf, .clock = clock, .observer = observer, .log = Log::silent()},
                 settings);
  }
  void put(const Recipe& recipe) { ASSERT_TRUE(pool->putTemplate(recipe)); }
  void build(const std::string& name) {
    ASSERT_TRUE(pool->build(name));
    eventually([&] { return stateOf(name) == State::ready; });
  }
  void putAndBuild(const Recipe& recipe) {
    put(recipe);
    // A pool that wants clones builds unasked; asking might come after that and make it build twice.
    if (recipe.poolSize == 0) return build(recipe.name);
    eventually([&] { return stateOf(recipe.name) == State::ready; });
  }
  State stateOf(const std::string& name) const { return pool->findTemplate(name)->status.state; }
  PoolView viewOf(const std::string& name) const {
    for (const PoolView& view : pool->pools()) {
      if (view.templateName == name) return view;
    }
    return {};
  }
  void awaitReady(const std::string& name, std::uint32_t count) {
    eventually([&] { return viewOf(name).ready == count; });
  }
  Result<Grant> acquire(const std::string& name, std::optional<Road> forced = std::nullopt, milliseconds wait = {}) {
    return pool->acquire({.templateName = name, .ttl = milliseconds(1000), .wait = wait, .forced = forced});
  }
  // The pool's workers act by themselves; five seconds stand for "never".
  static void eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "it did not come to be";
      std::this_thread::sleep_for(milliseconds(1));
    }
  }

  FakeVms vms;
  FakeShelf shelf;
  FakeClock clock;
  FakeObserver observer;
  std::optional<Pool> pool;
};

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

TEST_F(PoolTest, APoolThatWantsClonesBuildsItsTemplateUnasked) {
  start();
  put(recipeOf("hello", 1));
  awaitReady("hello", 1);
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
  awaitReady("hello", 4);
  eventually([&] { return vms.alive() == 4 + pool->blanks() && pool->blanks() == 2; });
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
