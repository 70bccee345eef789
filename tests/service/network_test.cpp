// Guests in network slots: reached through the daemon, alone in there, let out to what is listed.
#include <chrono>
#include <future>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/write.hpp>
#include <gmock/gmock.h>

#include "tests/service/real_daemon.h"

namespace qm::test {
namespace {

namespace asio = boost::asio;
using Tcp = asio::ip::tcp;
using testing::HasSubstr;
using testing::Not;

// A web server is part of the snapshot: what answers in a clone was listening when the template was frozen.
json::object webRecipe(std::size_t poolSize) {
  json::object recipe = helloRecipe(poolSize);
  recipe["net"] = "slot";
  // Not json::array{json::array{…}}: that is a copy of the inner one.
  json::array commands;
  commands.emplace_back(
      json::array{"/bin/sh", "-c", "mkdir -p /www && echo template >/www/index.html && httpd -p 8080 -h /www"});
  recipe["warm_up"] = std::move(commands);
  return recipe;
}

// A connection to a guest's port, through the daemon.
class Through {
 public:
  Through(RealDaemon& daemon, const Held& lease, int port, const std::string& version = "1.1") {
    socket_.connect(asio::local::stream_protocol::endpoint(daemon.process().socket().native()));
    say("GET " + lease.path + "/tcp/" + std::to_string(port) + " HTTP/" + version +
        "\r\nHost: daemon\r\nAuthorization: Bearer " + lease.token + "\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n");
    const std::size_t header = asio::read_until(socket_, asio::dynamic_buffer(heard_), "\r\n\r\n");
    answer_ = heard_.substr(0, heard_.find('\r'));
    heard_.erase(0, header);
  }
  const std::string& answer() const { return answer_; }
  void say(const std::string& text) { asio::write(socket_, asio::buffer(text)); }
  void sayNoMore() { socket_.shutdown(asio::socket_base::shutdown_send); }
  std::string hearAll() {
    boost::system::error_code end;
    asio::read(socket_, asio::dynamic_buffer(heard_), end);
    return heard_;
  }

 private:
  asio::io_context context_;
  asio::local::stream_protocol::socket socket_{context_};
  std::string answer_;
  std::string heard_;
};

std::string pageOf(RealDaemon& daemon, const Held& lease) {
  Through connection(daemon, lease, 8080);
  EXPECT_EQ(connection.answer(), "HTTP/1.1 101 Switching Protocols");
  connection.say("GET /index.html HTTP/1.0\r\n\r\n");
  return connection.hearAll();
}

class NetworkTest : public testing::Test {
 protected:
  static constexpr std::size_t kClones = 2;
  static void SetUpTestSuite() {
    daemon_ = std::make_unique<RealDaemon>();
    daemon_->put("web", webRecipe(kClones));
  }
  static void TearDownTestSuite() { daemon_.reset(); }
  void SetUp() override { ASSERT_TRUE(daemon().awaitReady("web", kClones)); }
  static RealDaemon& daemon() { return *daemon_; }
  static Held acquire(const char* road) { return daemon().client().acquire("web", road); }

 private:
  static inline std::unique_ptr<RealDaemon> daemon_;
};

TEST_F(NetworkTest, AServerThatWasFrozenAnswersInEveryRoadsGuest) {
  for (const char* road : {"ready", "blank", "spawn", "boot"}) {
    SCOPED_TRACE(road);
    const Held lease = acquire(road);
    EXPECT_THAT(pageOf(daemon(), lease), HasSubstr("template"));
    daemon().release(lease);
  }
}

TEST_F(NetworkTest, TwoGuestsWithOneAddressAreNotMixedUp) {
  const Held one = acquire("ready");
  const Held other = acquire("ready");
  daemon().said(one, "echo one >/www/index.html");
  daemon().said(other, "echo other >/www/index.html");
  const std::string address = "ip -4 addr show eth0 | grep inet; cat /sys/class/net/eth0/address";
  EXPECT_EQ(daemon().said(one, address), daemon().said(other, address));
  EXPECT_THAT(pageOf(daemon(), one), HasSubstr("one"));
  EXPECT_THAT(pageOf(daemon(), other), HasSubstr("other"));
  // Whoever broadcasts is alone: only the gateway answers, and what is sent for others' MACs goes nowhere.
  EXPECT_EQ(daemon().said(one, "arping -c 1 -w 1 -I eth0 10.0.0.2 2>/dev/null | grep -c 'reply from' || true"), "0\n");
  daemon().release(one);
  daemon().release(other);
}

TEST_F(NetworkTest, AGuestReachesNothingByItself) {
  const Held lease = acquire("ready");
  asio::io_context context;
  const Tcp::acceptor host(context, Tcp::endpoint(asio::ip::address_v4::any(), 0));
  const std::string open = "10.0.0.1 " + std::to_string(host.local_endpoint().port());
  for (const std::string& target : {open, std::string("10.0.0.1 3128"), std::string("192.0.2.1 443")}) {
    EXPECT_EQ(daemon().said(lease, "nc -w 2 " + target + " </dev/null >/dev/null 2>&1 && echo reached || echo refused"),
              "refused\n")
        << target;
  }
  daemon().release(lease);
}

TEST_F(NetworkTest, AConnectionThatIsHalfClosedCarriesTheAnswer) {
  const Held lease = acquire("ready");
  daemon().exec(lease, {"/bin/sh", "-c", "nc -l -p 9000 -e /bin/sh -c 'cat; echo end' >/dev/null 2>&1 </dev/null &"});
  std::optional<Through> connection;
  ASSERT_TRUE(eventually([&] {
    connection.emplace(daemon(), lease, 9000);
    return connection->answer() == "HTTP/1.1 101 Switching Protocols";
  }));
  connection->say("question\n");
  connection->sayNoMore();
  EXPECT_EQ(connection->hearAll(), "question\nend\n");
  daemon().release(lease);
}

TEST_F(NetworkTest, AConnectionEndsWithItsLease) {
  const Held lease = acquire("ready");
  Through connection(daemon(), lease, 8080);
  ASSERT_EQ(connection.answer(), "HTTP/1.1 101 Switching Protocols");
  daemon().release(lease);
  EXPECT_EQ(connection.hearAll(), "");
}

TEST_F(NetworkTest, APortWhereNobodyListensIsToldAtOnceAndSoIsWhoAsksWrongly) {
  const Held lease = acquire("ready");
  EXPECT_THAT(Through(daemon(), lease, 81).answer(), HasSubstr("503"));
  EXPECT_THAT(Through(daemon(), lease, 0).answer(), HasSubstr("400"));
  EXPECT_THAT(Through(daemon(), lease, 8080, "1.0").answer(), HasSubstr("400"));
  daemon().release(lease);
}

// As many as a VM may have, and as the daemon has threads for requests that wait (request_threads, when absent).
TEST_F(NetworkTest, PortsThatNeverAnswerHoldNoThread) {
  const Held lease = acquire("ready");
  daemon().said(lease, "ip link set eth0 down");
  asio::io_context context;
  std::vector<asio::local::stream_protocol::socket> asked;
  for (int i = 0; i < 64; ++i) {
    auto& socket = asked.emplace_back(context);
    socket.connect(asio::local::stream_protocol::endpoint(daemon().process().socket().native()));
    asio::write(socket,
                asio::buffer("GET " + lease.path + "/tcp/80 HTTP/1.1\r\nHost: daemon\r\nAuthorization: Bearer " +
                             lease.token + "\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n"));
  }
  // They are read in some milliseconds, and the guest's answers are waited for for five seconds.
  std::this_thread::sleep_for(std::chrono::seconds(1));
  // Which a thread answers.
  daemon().client().ask("GET", "/v1/templates", 200);
  for (const auto& socket : asked) EXPECT_EQ(socket.available(), 0U) << "it waited for one of these";
  std::string answer;
  asio::read_until(asked.front(), asio::dynamic_buffer(answer), "\r\n\r\n");
  EXPECT_THAT(answer, HasSubstr("503"));
  daemon().release(lease);
}

TEST_F(NetworkTest, AGuestReachesWhatItsTemplateListsAndNothingElse) {
  asio::io_context context;
  Tcp::acceptor server(context, {asio::ip::address_v4::loopback(), 0});
  const std::string there = "127.0.0.1:" + std::to_string(server.local_endpoint().port());
  json::object recipe = webRecipe(1);
  recipe["egress"] = json::array{json::string(there)};
  daemon().put("out", recipe);
  ASSERT_TRUE(daemon().awaitReady("out", 1));
  const Held lease = daemon().client().acquire("out", "ready");
  const auto proxied = [&](const std::string& target) {
    return daemon().said(
        lease, "printf 'CONNECT " + target + " HTTP/1.1\\r\\n\\r\\nhello' | nc -w 3 10.0.0.1 3128 | head -n 1");
  };
  EXPECT_THAT(proxied("192.0.2.1:443"), HasSubstr("403"));
  EXPECT_THAT(proxied("localhost:" + there.substr(there.find(':') + 1)), HasSubstr("403"));
  // Which hears the guest out and closes: only then does the guest's nc end.
  std::future<std::string> served = std::async(std::launch::async, [&server] {
    Tcp::socket guest = server.accept();
    std::string heard(5, '?');
    asio::read(guest, asio::buffer(heard));
    return heard;
  });
  EXPECT_THAT(proxied(there), HasSubstr("200"));
  EXPECT_EQ(served.get(), "hello");
  daemon().release(lease);
  EXPECT_THAT(daemon().log(), HasSubstr("egress.refused"));
  daemon().client().ask("DELETE", "/v1/templates/out", 204);
}

// The former tenant's connections end, and what it left in its network is not the next one's.
TEST(NetworkReset, AVmThatIsResetGetsAnotherSlot) {
  RealDaemon daemon;
  json::object recipe = webRecipe(1);
  recipe["reuse"] = "reset";
  daemon.put("web", recipe);
  ASSERT_TRUE(daemon.awaitReady("web", 1));
  const std::vector<std::filesystem::path> folders = daemon.vmFolders();
  const Held lease = daemon.client().acquire("web", "ready");
  Through connection(daemon, lease, 8080);
  ASSERT_EQ(connection.answer(), "HTTP/1.1 101 Switching Protocols");
  daemon.said(lease, "echo tenant >/www/index.html; arp -s 10.0.0.1 02:00:00:00:00:07");
  daemon.release(lease);
  EXPECT_EQ(connection.hearAll(), "");
  ASSERT_TRUE(daemon.awaitReady("web", 2)) << daemon.log();
  for (const auto& folder : folders) EXPECT_TRUE(std::filesystem::exists(folder)) << "it was destroyed, not reset";
  for (int i = 0; i < 2; ++i) {
    const Held next = daemon.client().acquire("web", "ready");
    EXPECT_THAT(pageOf(daemon, next), HasSubstr("template"));
    EXPECT_THAT(daemon.said(next, "arp -n"), Not(HasSubstr("02:00:00:00:00:07")));
  }
}

// The namespaces ("net:[4026532000]") and taps that a process holds open.
std::set<std::string> networksHeldBy(const std::filesystem::path& process) {
  std::set<std::string> held;
  std::error_code gone;
  for (const auto& entry : std::filesystem::directory_iterator(process / "fd", gone)) {
    const std::string target = std::filesystem::read_symlink(entry.path(), gone).native();
    if (target.starts_with("net:[")) held.insert(target);
  }
  const std::string lives = std::filesystem::read_symlink(process / "ns/net", gone).native();
  if (!lives.empty()) held.insert(lives);
  return held;
}

bool isHeldByAny(const std::string& networkName) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const std::string name = entry.path().filename();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    if (networksHeldBy(entry.path()).contains(networkName)) return true;
  }
  return false;
}

// The spawner is the daemon's child that is called so.
std::set<std::string> slotsOf(std::int64_t daemonPid) {
  std::set<std::string> slots;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    const auto status = readKernelFile(entry.path() / "status");
    if (!status.has_value() || status->find("quickmatch-spaw") == std::string::npos) continue;
    if (status->find("PPid:\t" + std::to_string(daemonPid) + "\n") == std::string::npos) continue;
    slots = networksHeldBy(entry.path());
    slots.erase(std::filesystem::read_symlink(entry.path() / "ns/net").native());
    slots.erase(std::filesystem::read_symlink("/proc/self/ns/net").native());
  }
  return slots;
}

TEST(NetworkEnding, NoSlotOutlivesItsDaemonEvenOneThatIsKilled) {
  RealDaemon daemon;
  daemon.put("web", webRecipe(1));
  ASSERT_TRUE(daemon.awaitReady("web", 1));
  const Held lease = daemon.client().acquire("web", "ready");
  const std::set<std::string> slots = slotsOf(daemon.process().pid());
  EXPECT_GE(slots.size(), 2U) << "the lease's, and some made ahead";
  EXPECT_EQ(daemon.process().stop(SIGKILL).signal, SIGKILL);
  daemon.process().start();
  for (const std::string& slot : slots) EXPECT_TRUE(eventually([&] { return !isHeldByAny(slot); })) << slot;
}

}  // namespace
}  // namespace qm::test
