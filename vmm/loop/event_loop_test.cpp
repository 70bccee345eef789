#include "vmm/loop/event_loop.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "vmm/os/unix_socket.h"

namespace qm {
namespace {

TEST(EventLoop, TasksRunInTheOrderPostedAndStopComesAfterThem) {
  const auto loop = EventLoop::create().value();
  std::vector<int> order;
  loop->post([&] { order.push_back(1); });
  loop->post([&] { order.push_back(2); });
  loop->stop();
  loop->run();
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST(EventLoop, ATaskForWhenItIsIdleRunsAfterWhatIsReadyDueOrPosted) {
  const auto loop = EventLoop::create().value();
  const Eventfd ready = Eventfd::create().value();
  std::vector<std::string> order;
  ASSERT_TRUE(loop->watch(ready.file(), Ready::readable,
                          [&](Ready) {
                            ready.take();
                            order.emplace_back("ready");
                            loop->post([&] { order.emplace_back("posted"); });
                          })
                  .has_value());
  loop->post([&] {
    loop->whenIdle([&] {
      order.emplace_back("idle");
      loop->stop();
    });
    loop->at(std::chrono::steady_clock::now(), [&] {
      order.emplace_back("due");
      ready.signal();
    });
  });
  loop->run();
  EXPECT_EQ(order, (std::vector<std::string>{"due", "ready", "posted", "idle"}));
}

TEST(EventLoop, ATaskForWhenItIsIdleMayAskForTheNextOne) {
  const auto loop = EventLoop::create().value();
  int calls = 0;
  loop->whenIdle([&] {
    ++calls;
    loop->whenIdle([&] {
      ++calls;
      loop->stop();
    });
  });
  loop->run();
  EXPECT_EQ(calls, 2);
}

TEST(EventLoop, AHandlerMayUnwatchItselfAndAnother) {
  const auto loop = EventLoop::create().value();
  const Eventfd first = Eventfd::create().value();
  const Eventfd second = Eventfd::create().value();
  int calls = 0;
  const auto both = [&](Ready) {
    ++calls;
    loop->unwatch(first.file());
    loop->unwatch(second.file());
    loop->stop();
  };
  ASSERT_TRUE(loop->watch(first.file(), Ready::readable, both).has_value());
  ASSERT_TRUE(loop->watch(second.file(), Ready::readable, both).has_value());
  first.signal();
  second.signal();
  loop->run();
  EXPECT_EQ(calls, 1);
}

TEST(EventLoop, AHangUpReachesWhoeverWaitsForWriting) {
  const auto loop = EventLoop::create().value();
  auto [here, there] = unixSocketPair().value();
  Ready seen = Ready::none;
  ASSERT_TRUE(loop->watch(here, Ready::none,
                          [&](Ready ready) {
                            seen = ready;
                            loop->unwatch(here);
                            loop->stop();
                          })
                  .has_value());
  there.close();
  loop->run();
  EXPECT_EQ(seen, Ready::both);
}

TEST(EventLoop, TimersFireByDeadlineAndACancelledOneNever) {
  const auto loop = EventLoop::create().value();
  const auto now = std::chrono::steady_clock::now();
  std::vector<int> order;
  loop->at(now + std::chrono::milliseconds(2), [&] { order.push_back(2); });
  const auto cancelled = loop->at(now + std::chrono::milliseconds(1), [&] { order.push_back(99); });
  loop->at(now, [&] { order.push_back(1); });
  loop->at(now + std::chrono::milliseconds(3), [&] { loop->stop(); });
  loop->cancel(cancelled);
  loop->run();
  EXPECT_EQ(order, (std::vector{1, 2}));
}

TEST(EventLoop, PostAndWaitReturnsAfterTheTaskRanOnTheLoopThread) {
  const auto loop = EventLoop::create().value();
  std::jthread thread([&] { loop->run(); });
  std::thread::id ranOn;
  loop->postAndWait([&] { ranOn = std::this_thread::get_id(); });
  EXPECT_EQ(ranOn, thread.get_id());
  loop->stop();
}

}  // namespace
}  // namespace qm
