#include "api/relay/relay.h"

#include <string>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/local/connect_pair.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <gtest/gtest.h>

namespace qm {
namespace {

namespace asio = boost::asio;
using Socket = asio::local::stream_protocol::socket;

// left <-> (a relay b) <-> right; the relay runs until it ends.
class RelayTest : public testing::Test {
 protected:
  ~RelayTest() override { context.stop(); }
  void start(std::chrono::milliseconds idleLimit = std::chrono::hours(1)) {
    asio::local::connect_pair(left, a);
    asio::local::connect_pair(right, b);
    asio::co_spawn(context, relay(a, b, idleLimit), asio::detached);
    thread = std::jthread([this] { context.run(); });
  }
  static void say(Socket& socket, const std::string& text) { asio::write(socket, asio::buffer(text)); }
  static std::string hear(Socket& socket, std::size_t count) {
    std::string text(count, '?');
    asio::read(socket, asio::buffer(text));
    return text;
  }
  static bool isAtEnd(Socket& socket) {
    char byte = 0;
    boost::system::error_code failure;
    return socket.read_some(asio::buffer(&byte, 1), failure) == 0 && failure;
  }

  asio::io_context context{1};
  Socket left{context}, a{context}, b{context}, right{context};
  std::jthread thread;
};

TEST_F(RelayTest, CarriesBothWays) {
  start();
  say(left, "to the right");
  EXPECT_EQ(hear(right, 12), "to the right");
  say(right, "to the left");
  EXPECT_EQ(hear(left, 11), "to the left");
}

TEST_F(RelayTest, AnEndOneWayLeavesTheOtherOpen) {
  start();
  say(left, "question");
  left.shutdown(asio::socket_base::shutdown_send);
  EXPECT_EQ(hear(right, 8), "question");
  EXPECT_TRUE(isAtEnd(right));
  say(right, "answer");
  EXPECT_EQ(hear(left, 6), "answer");
  right.shutdown(asio::socket_base::shutdown_send);
  EXPECT_TRUE(isAtEnd(left));
  thread.join();  // and so the relay has ended
}

TEST_F(RelayTest, MoreThanBuffersHoldArrivesWholeAtASlowReader) {
  start();
  const std::string much(4U << 20U, 'x');
  std::jthread writer([&] {
    say(left, much);
    left.shutdown(asio::socket_base::shutdown_send);
  });
  std::this_thread::sleep_for(std::chrono::milliseconds(50));
  EXPECT_EQ(hear(right, much.size()), much);
  EXPECT_TRUE(isAtEnd(right));
}

TEST_F(RelayTest, SilenceForTooLongEndsBoth) {
  start(std::chrono::milliseconds(50));
  EXPECT_TRUE(isAtEnd(left));
  EXPECT_TRUE(isAtEnd(right));
  thread.join();
}

TEST_F(RelayTest, OneThatIsGoneEndsTheOther) {
  start();
  right.close();
  boost::system::error_code failure;
  for (int i = 0; i < 1000 && !failure; ++i) asio::write(left, asio::buffer("x", 1), failure);
  EXPECT_TRUE(isAtEnd(left));
  thread.join();
}

}  // namespace
}  // namespace qm
