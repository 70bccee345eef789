// A pool among fakes, as its tests have it.
#pragma once

#include <chrono>
#include <functional>
#include <optional>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "pool/clock/fake_clock.h"
#include "pool/fake_observer.h"
#include "pool/pool.h"
#include "pool/template/fake_shelf.h"
#include "pool/vm/fake_vm.h"

namespace qm::pool {

inline Recipe recipeOf(std::string name, std::uint32_t poolSize) {
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
    eventually([&] { return stateOf(name) == TemplateStatus::State::ready; });
  }
  void putAndBuild(const Recipe& recipe) {
    put(recipe);
    // A pool that wants clones builds unasked; asking might come after that and make it build twice.
    if (recipe.poolSize == 0) return build(recipe.name);
    eventually([&] { return stateOf(recipe.name) == TemplateStatus::State::ready; });
  }
  TemplateStatus::State stateOf(const std::string& name) const { return pool->findTemplate(name)->status.state; }
  PoolView viewOf(const std::string& name) const {
    for (const PoolView& view : pool->pools()) {
      if (view.templateName == name) return view;
    }
    return {};
  }
  void awaitReady(const std::string& name, std::uint32_t count) {
    eventually([&] { return viewOf(name).ready == count; });
  }
  Result<Grant> acquire(const std::string& name, std::optional<Road> forced = std::nullopt,
                        std::chrono::milliseconds wait = {}) {
    return pool->acquire(
        {.templateName = name, .ttl = std::chrono::milliseconds(1000), .wait = wait, .forced = forced});
  }
  // The pool's workers act by themselves; five seconds stand for "never".
  static void eventually(const std::function<bool()>& condition) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!condition()) {
      ASSERT_LT(std::chrono::steady_clock::now(), deadline) << "it did not come to be";
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
  }

  FakeVms vms;
  FakeShelf shelf;
  FakeClock clock;
  FakeObserver observer;
  std::optional<Pool> pool;
};

}  // namespace qm::pool
