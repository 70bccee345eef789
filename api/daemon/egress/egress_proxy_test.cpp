// The proxy over loopback instead of a slot's gateway.
#include "api/daemon/egress/egress_proxy.h"

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "vmm/network/route_socket.h"
#include "vmm/os/namespaces.h"

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

// What a guest is answered that asks for "name.example", which leads to an address of its host that anybody on the
// Internet may reach. `alsoListed`: besides that name.
std::string answerWhereANameLeadsToItsHost(const std::vector<std::string>& alsoListed) {
  asio::io_context context;
  const Tcp::endpoint host(asio::ip::make_address("9.9.9.9"), 443);
  const Tcp::acceptor server(context, host);
  std::vector<pool::Destination> list{pool::destinationFrom("name.example:443").value()};
  for (const std::string& text : alsoListed) list.push_back(pool::destinationFrom(text).value());
  EgressProxy proxy(Log::silent(), {.resolve = [](const std::string&) { return std::vector<std::string>{"9.9.9.9"}; }});
  Tcp::acceptor listener(context, {asio::ip::address_v4::loopback(), 0});
  Tcp::socket guest(context);
  guest.connect(listener.local_endpoint());
  const EgressProxy::Way way = proxy.open(FileDescriptor(listener.release()), std::move(list), "vm-1").value();
  asio::write(guest, asio::buffer(std::string("CONNECT name.example:443 HTTP/1.1\r\n\r\n")));
  std::string answer;
  boost::system::error_code end;
  asio::read_until(guest, asio::dynamic_buffer(answer), "\r\n", end);
  return answer.substr(0, answer.find('\r'));
}

// Whose services take their clients for whoever may reach that host. On a thread whose network is its own.
TEST(EgressToItsHost, AListedNameThatLeadsToItsPublicAddressIsRefusedUnlessThatIsListedToo) {
  std::thread([] {
    if (!moveToOwn(std::array{Namespace::network}).has_value()) GTEST_SKIP() << "this host allows no network namespace";
    constexpr std::uint32_t kLoopback = 1;
    ASSERT_TRUE(network::RouteRequests().bringUp(kLoopback).addAddress(kLoopback, 0x0909'0909, 32).send().has_value());
    EXPECT_EQ(answerWhereANameLeadsToItsHost({}), "HTTP/1.1 403 Forbidden");
    EXPECT_EQ(answerWhereANameLeadsToItsHost({"9.9.9.9:80"}), "HTTP/1.1 403 Forbidden");
    EXPECT_EQ(answerWhereANameLeadsToItsHost({"9.9.9.9:443"}), "HTTP/1.1 200 Connection established");
  }).join();
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

// A resolver in whose hand the test has it when names that begin with "slow" are found. Shared with threads that may
// outlive the test.
class FakeResolver {
 public:
  NameResolver resolver() const {
    return [state = state_](const std::string& name) -> Result<std::vector<std::string>> {
      std::unique_lock lock(state->mutex);
      ++state->asked;
      state->changed.notify_all();
      if (name.starts_with("slow")) state->changed.wait(lock, [&state] { return state->isReleased; });
      return std::vector<std::string>{"127.0.0.1"};  // which no name may lead to
    };
  }
  void release() const {
    const std::lock_guard lock(state_->mutex);
    state_->isReleased = true;
    state_->changed.notify_all();
  }
  // Whether so many names were asked for, in a time in which more would have been.
  bool isAsked(std::size_t count) const {
    std::unique_lock lock(state_->mutex);
    state_->changed.wait_for(lock, std::chrono::seconds(10), [&] { return state_->asked >= count; });
    state_->changed.wait_for(lock, std::chrono::milliseconds(50), [&] { return state_->asked > count; });
    return state_->asked == count;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::size_t asked = 0;
    bool isReleased = false;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

// Guests of several VMs whose template lists "fast:1" and "slow0:1" to "slow9:1".
class EgressNamesTest : public testing::Test {
 protected:
  ~EgressNamesTest() override { names.release(); }

  EgressProxy& proxyWith(std::chrono::milliseconds lookupLimit) {
    return proxy.emplace(Log::silent(), EgressSettings{.resolve = names.resolver(), .lookupLimit = lookupLimit});
  }
  // Another VM: where its gateway is.
  Tcp::endpoint vm() {
    std::vector<pool::Destination> list{pool::destinationFrom("fast:1").value()};
    for (int i = 0; i < 10; ++i) list.push_back(pool::destinationFrom(fmt::format("slow{}:1", i)).value());
    Tcp::acceptor listener(context, Tcp::endpoint(asio::ip::address_v4::loopback(), 0));
    const Tcp::endpoint gateway = listener.local_endpoint();
    ways.push_back(proxy->open(FileDescriptor(listener.release()), std::move(list), "vm").value());
    return gateway;
  }
  Tcp::socket& asking(const Tcp::endpoint& gateway, const std::string& name) {
    Tcp::socket& guest = guests.emplace_back(context);
    guest.connect(gateway);
    asio::write(guest, asio::buffer(fmt::format("CONNECT {}:1 HTTP/1.1\r\n\r\n", name)));
    return guest;
  }
  static std::string answerOf(Tcp::socket& guest) {
    std::string answer;
    boost::system::error_code failure;
    asio::read_until(guest, asio::dynamic_buffer(answer), "\r\n\r\n", failure);
    return answer.substr(0, answer.find('\r'));
  }

  asio::io_context context;
  FakeResolver names;
  std::optional<EgressProxy> proxy;
  std::deque<EgressProxy::Way> ways;
  std::deque<Tcp::socket> guests;
};

// It was found, which is what is asked here, and then refused by what was found.
constexpr const char* kFound = "HTTP/1.1 403 Forbidden";

TEST_F(EgressNamesTest, AVmWithSlowNamesDelaysNoOther) {
  proxyWith(std::chrono::hours(1));
  const Tcp::endpoint slow = vm();
  for (int i = 0; i < 10; ++i) asking(slow, fmt::format("slow{}", i));
  EXPECT_TRUE(names.isAsked(2)) << "of one VM at once";
  EXPECT_EQ(answerOf(asking(vm(), "fast")), kFound);
}

TEST_F(EgressNamesTest, AVmsNextNameWaitsForItsOwnOthers) {
  proxyWith(std::chrono::hours(1));
  const Tcp::endpoint gateway = vm();
  for (int i = 0; i < 2; ++i) asking(gateway, fmt::format("slow{}", i));
  ASSERT_TRUE(names.isAsked(2));
  Tcp::socket& next = asking(gateway, "fast");
  EXPECT_TRUE(names.isAsked(2));
  names.release();
  EXPECT_EQ(answerOf(next), kFound);
  for (int i = 0; i < 2; ++i) EXPECT_EQ(answerOf(guests.at(static_cast<std::size_t>(i))), kFound);
}

TEST_F(EgressNamesTest, ANameThatIsNotFoundInTimeIsAGatewayTimeout) {
  proxyWith(std::chrono::milliseconds(50));
  EXPECT_EQ(answerOf(asking(vm(), "slow0")), "HTTP/1.1 504 Gateway Timeout");
  EXPECT_EQ(proxy->counts(), (EgressCounts{.failed = 1}));
}

// A resolver that was given up still waits, on its thread.
TEST_F(EgressNamesTest, OneThatWasGivenUpKeepsItsPlaceUntilItComesBack) {
  proxyWith(std::chrono::milliseconds(200));
  const Tcp::endpoint gateway = vm();
  for (int i = 0; i < 2; ++i) EXPECT_EQ(answerOf(asking(gateway, "slow0")), "HTTP/1.1 504 Gateway Timeout");
  EXPECT_EQ(answerOf(asking(gateway, "fast")), "HTTP/1.1 503 Service Unavailable");
  EXPECT_EQ(proxy->counts(), (EgressCounts{.failed = 3}));
  names.release();
  EXPECT_TRUE(names.isAsked(2));
  EXPECT_EQ(answerOf(asking(gateway, "fast")), kFound);
}

TEST_F(EgressNamesTest, ThereAreSoManyAtOnceOverAllVms) {
  proxyWith(std::chrono::milliseconds(500));
  constexpr std::size_t kMost = 16;
  for (std::size_t i = 0; i < kMost; i += 2) {
    const Tcp::endpoint gateway = vm();
    for (int k = 0; k < 2; ++k) asking(gateway, "slow0");
  }
  ASSERT_TRUE(names.isAsked(kMost));
  EXPECT_EQ(answerOf(asking(vm(), "fast")), "HTTP/1.1 503 Service Unavailable");
  EXPECT_TRUE(names.isAsked(kMost));
}

// Which the daemon's would else wait for.
TEST_F(EgressNamesTest, TheProxysEndWaitsForNoResolver) {
  proxyWith(std::chrono::hours(1));
  asking(vm(), "slow0");
  ASSERT_TRUE(names.isAsked(1));
  ways.clear();
  proxy.reset();
  names.release();
}

}  // namespace
}  // namespace qm
