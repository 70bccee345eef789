// The proxy over loopback instead of a slot's gateway.
#include "api/daemon/egress/egress_proxy.h"

#include <optional>
#include <string>
#include <thread>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

namespace qm {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;

class EgressProxyTest : public testing::Test {
 protected:
  Tcp::endpoint anyPort() const { return {asio::ip::address_v4::loopback(), 0}; }

  // Opens a way with this list for the guest `connected()`.
  void open(const std::vector<std::string>& texts) {
    std::vector<pool::Destination> list;
    for (const std::string& text : texts) list.push_back(pool::destinationFrom(text).value());
    Tcp::acceptor listener(context, anyPort());
    gateway = listener.local_endpoint();
    way.emplace(proxy.open(FileDescriptor(listener.release()), std::move(list), "vm-1").value());
  }
  Tcp::socket connected() {
    Tcp::socket guest(context);
    guest.connect(gateway);
    return guest;
  }
  // The answer's first line, to what the guest says.
  static std::string answerTo(Tcp::socket& guest, const std::string& request) {
    asio::write(guest, asio::buffer(request));
    std::string answer;
    boost::system::error_code failure;
    asio::read_until(guest, asio::dynamic_buffer(answer), "\r\n\r\n", failure);
    return answer.substr(0, answer.find('\r'));
  }
  static std::string connectTo(const std::string& target) {
    return fmt::format("CONNECT {} HTTP/1.1\r\nHost: {}\r\n\r\n", target, target);
  }
  static bool isAtEnd(Tcp::socket& socket) {
    char byte = 0;
    boost::system::error_code failure;
    return socket.read_some(asio::buffer(&byte, 1), failure) == 0 && failure;
  }

  asio::io_context context;
  EgressProxy proxy{Log::silent()};
  std::optional<EgressProxy::Way> way;
  Tcp::endpoint gateway;
};

TEST_F(EgressProxyTest, ConnectsToAnAddressThatIsListed) {
  Tcp::acceptor server(context, anyPort());
  const std::string there = fmt::format("127.0.0.1:{}", server.local_endpoint().port());
  open({there});
  Tcp::socket guest = connected();
  EXPECT_EQ(answerTo(guest, connectTo(there)), "HTTP/1.1 200 Connection established");
  Tcp::socket served = server.accept();
  asio::write(guest, asio::buffer("hello", 5));
  std::string heard(5, '?');
  asio::read(served, asio::buffer(heard));
  EXPECT_EQ(heard, "hello");
  EXPECT_EQ(proxy.counts(), (EgressCounts{.connected = 1}));
}

TEST_F(EgressProxyTest, EverythingElseIsRefusedAndCounted) {
  open({"example.org:443"});
  for (const std::string& request : {connectTo("example.org:80"), connectTo("127.0.0.1:443"), connectTo("nonsense"),
                                     std::string("GET http://example.org:443/ HTTP/1.1\r\nHost: example.org\r\n\r\n"),
                                     std::string("this is no request\r\n\r\n")}) {
    Tcp::socket guest = connected();
    EXPECT_EQ(answerTo(guest, request), "HTTP/1.1 403 Forbidden") << request;
    EXPECT_TRUE(isAtEnd(guest));
  }
  EXPECT_EQ(proxy.counts(), (EgressCounts{.refused = 5}));
}

// Whoever answers for the name decides where it leads: here the hosts file, to this host.
TEST_F(EgressProxyTest, AListedNameThatLeadsToThisHostIsRefused) {
  Tcp::acceptor server(context, anyPort());
  const std::string there = fmt::format("localhost:{}", server.local_endpoint().port());
  open({there});
  Tcp::socket guest = connected();
  EXPECT_EQ(answerTo(guest, connectTo(there)), "HTTP/1.1 403 Forbidden");
}

TEST_F(EgressProxyTest, WhatIsListedAndNotThereIsABadGateway) {
  std::string there;
  {
    const Tcp::acceptor closed(context, anyPort());
    there = fmt::format("127.0.0.1:{}", closed.local_endpoint().port());
  }
  open({there});
  Tcp::socket guest = connected();
  EXPECT_EQ(answerTo(guest, connectTo(there)), "HTTP/1.1 502 Bad Gateway");
  EXPECT_EQ(proxy.counts(), (EgressCounts{.failed = 1}));
}

TEST_F(EgressProxyTest, AWaysEndEndsItsConnections) {
  Tcp::acceptor server(context, anyPort());
  const std::string there = fmt::format("127.0.0.1:{}", server.local_endpoint().port());
  open({there});
  Tcp::socket guest = connected();
  Tcp::socket silent = connected();
  ASSERT_EQ(answerTo(guest, connectTo(there)), "HTTP/1.1 200 Connection established");
  Tcp::socket served = server.accept();
  way.reset();
  EXPECT_TRUE(isAtEnd(guest));
  EXPECT_TRUE(isAtEnd(served));
  EXPECT_TRUE(isAtEnd(silent));
}

TEST_F(EgressProxyTest, SoManyAtOnceAndTheNextAfterOneHasEnded) {
  open({"example.org:443"});
  std::vector<Tcp::socket> waiting;
  for (std::size_t i = 0; i < EgressProxy::kMostConversations; ++i) waiting.push_back(connected());
  Tcp::socket next = connected();
  asio::write(next, asio::buffer(connectTo("nonsense")));
  std::this_thread::sleep_for(std::chrono::milliseconds(100));
  EXPECT_EQ(next.available(), 0U);
  waiting.pop_back();
  EXPECT_EQ(answerTo(next, ""), "HTTP/1.1 403 Forbidden");
}

}  // namespace
}  // namespace qm
