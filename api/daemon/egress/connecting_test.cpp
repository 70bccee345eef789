#include "api/daemon/egress/connecting.h"

#include <vector>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace qm {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using namespace std::chrono_literals;

// A port that answers nobody: as many have connected as are let wait, and the kernel drops what comes then.
class Silent {
 public:
  explicit Silent(asio::io_context& context) : acceptor_(context, Tcp::v4()) {
    acceptor_.bind({asio::ip::address_v4::loopback(), 0});
    acceptor_.listen(0);
    Tcp::socket one(context);
    one.connect(acceptor_.local_endpoint());
    waiting_.push_back(std::move(one));
  }
  Tcp::endpoint endpoint() const { return acceptor_.local_endpoint(); }

 private:
  Tcp::acceptor acceptor_;
  std::vector<Tcp::socket> waiting_;
};

class ConnectingTest : public testing::Test {
 protected:
  boost::system::error_code outcomeOf(std::vector<Tcp::endpoint> endpoints, std::chrono::milliseconds limit) {
    boost::system::error_code outcome;
    const auto start = std::chrono::steady_clock::now();
    asio::co_spawn(context, connectToOneOf(socket, std::move(endpoints), limit),
                   [&](const std::exception_ptr&, boost::system::error_code how) { outcome = how; });
    context.run();
    took = std::chrono::steady_clock::now() - start;
    return outcome;
  }

  asio::io_context context{1};
  Tcp::socket socket{context};
  std::chrono::steady_clock::duration took{};
};

TEST_F(ConnectingTest, SilentAddressesHaveOneLimitTogether) {
  const Silent one(context);
  const Silent other(context);
  const std::vector<Tcp::endpoint> endpoints{one.endpoint(),   other.endpoint(), one.endpoint(),
                                             other.endpoint(), one.endpoint(),   other.endpoint()};
  EXPECT_EQ(outcomeOf(endpoints, 300ms), asio::error::timed_out);
  EXPECT_GE(took, 300ms);
  EXPECT_LT(took, 1500ms);
}

TEST_F(ConnectingTest, ASilentOneLeavesTimeForTheNext) {
  const Silent silent(context);
  const Tcp::acceptor server(context, {asio::ip::address_v4::loopback(), 0});
  EXPECT_FALSE(outcomeOf({silent.endpoint(), server.local_endpoint()}, 300ms));
  EXPECT_EQ(socket.remote_endpoint(), server.local_endpoint());
}

TEST_F(ConnectingTest, OneThatRefusesCostsNoTimeAndTheLastErrorIsTold) {
  Tcp::endpoint closed;
  {
    const Tcp::acceptor server(context, {asio::ip::address_v4::loopback(), 0});
    closed = server.local_endpoint();
  }
  EXPECT_EQ(outcomeOf({closed, closed}, 10s), asio::error::connection_refused);
  EXPECT_LT(took, 5s);
}

TEST_F(ConnectingTest, ClosingTheSocketEndsIt) {
  const Silent silent(context);
  asio::steady_timer timer(context, 50ms);
  timer.async_wait([this](boost::system::error_code) { socket.close(); });
  EXPECT_EQ(outcomeOf({silent.endpoint(), silent.endpoint()}, 10s), asio::error::operation_aborted);
  EXPECT_LT(took, 5s);
}

}  // namespace
}  // namespace qm
