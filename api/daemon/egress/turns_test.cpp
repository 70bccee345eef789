#include "api/daemon/egress/turns.h"

#include <string>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace qm {
namespace {

namespace asio = boost::asio;
using namespace std::chrono_literals;

class TurnsTest : public testing::Test {
 protected:
  // What the wish of one came to is a letter in `told`: large when its turn came.
  void wish(Turns& turns, char name, std::chrono::milliseconds patience = 1h) {
    const auto deadline = std::chrono::steady_clock::now() + patience;
    asio::co_spawn(context, wished(turns, name, deadline), asio::detached);
    context.poll();
  }
  std::string told;
  asio::io_context context{1};

 private:
  const asio::executor_work_guard<asio::io_context::executor_type> open_{context.get_executor()};
  asio::awaitable<void> wished(Turns& turns, char name, std::chrono::steady_clock::time_point deadline) {
    const bool came = co_await turns.take(deadline);
    told.push_back(came ? static_cast<char>(name - 'a' + 'A') : name);
  }
};

TEST_F(TurnsTest, ComeInOrderAsTheyAreGivenBack) {
  Turns turns(context.get_executor(), 1, 9);
  for (const char name : {'a', 'b', 'c'}) wish(turns, name);
  EXPECT_EQ(told, "A");
  turns.giveBack();
  turns.giveBack();
  context.poll();
  EXPECT_EQ(told, "ABC");
  turns.giveBack();
  wish(turns, 'd');
  EXPECT_EQ(told, "ABCD");
}

TEST_F(TurnsTest, WhoWouldStandBehindTooManyIsToldAtOnce) {
  Turns turns(context.get_executor(), 1, 1);
  for (const char name : {'a', 'b', 'c'}) wish(turns, name);
  EXPECT_EQ(told, "Ac");
}

TEST_F(TurnsTest, WhoWaitedTooLongTakesNoTurn) {
  Turns turns(context.get_executor(), 1, 9);
  wish(turns, 'a');
  wish(turns, 'b', 1ms);
  wish(turns, 'c');
  context.run_for(50ms);
  EXPECT_EQ(told, "Ab");
  turns.giveBack();
  context.poll();
  EXPECT_EQ(told, "AbC");
}

TEST_F(TurnsTest, TheEndSendsAllAway) {
  Turns turns(context.get_executor(), 1, 9);
  for (const char name : {'a', 'b', 'c'}) wish(turns, name);
  turns.end();
  turns.giveBack();
  wish(turns, 'd');
  EXPECT_EQ(told, "Abcd");
}

}  // namespace
}  // namespace qm
