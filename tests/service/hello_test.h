// A daemon with three ready clones of `hello`, the same for all tests of the suite: each releases what it leased.
#pragma once

#include <memory>

#include "tests/service/real_daemon.h"

namespace qm::test {

class HelloTest : public testing::Test {
 protected:
  static constexpr std::size_t kClones = 3;
  static constexpr std::size_t kBlanks = 2;  // as many as a pool keeps unless told otherwise

  static void SetUpTestSuite() {
    daemon_ = std::make_unique<RealDaemon>();
    daemon_->put("hello", helloRecipe(kClones));
  }
  static void TearDownTestSuite() { daemon_.reset(); }
  void SetUp() override { ASSERT_TRUE(daemon().awaitReady("hello", kClones)); }

  static RealDaemon& daemon() { return *daemon_; }
  static Asking& client() { return daemon_->client(); }

 private:
  static inline std::unique_ptr<RealDaemon> daemon_;
};

}  // namespace qm::test
