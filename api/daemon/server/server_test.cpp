#include "api/daemon/server/server.h"

#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <filesystem>
#include <memory>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "vmm/os/eventfd.h"
#include "vmm/os/unix_socket.h"

namespace qm {
namespace {

rest::Router echoing() {
  return rest::Router({{"POST", "/v1/echo", "echo",
                        [](const rest::Request& request, const rest::PathValues&) {
                          return rest::Response{.contentType = "text/plain", .body = request.body};
                        }},
                       {"GET", "/v1/upgrade", "upgrade",
                        [](const rest::Request& request, const rest::PathValues&) {
                          return rest::Response{.contentType = "text/plain", .body = "to <" + request.upgrade + ">"};
                        }},
                       {"DELETE", "/v1/echo", "forget", [](const rest::Request&, const rest::PathValues&) {
                          return rest::Response{.status = 204, .contentType = ""};
                        }}});
}

class ServerTest : public testing::Test {
 protected:
  void SetUp() override {
    server_ =
        Server::start({.socket = socket_, .tcp = TcpAddress{"127.0.0.1", 0}, .threads = 2}, router_, Log::silent())
            .value();
  }
  void TearDown() override {
    server_.reset();
    EXPECT_FALSE(std::filesystem::exists(socket_));
  }

  // What comes back until the server closes.
  std::string exchange(std::string_view sent) const {
    const FileDescriptor peer = connectUnix(socket_, Blocking::yes).value();
    EXPECT_TRUE(writeAll(peer, std::as_bytes(std::span(sent))).has_value());
    std::string answer;
    char bytes[4096];
    for (;;) {
      const auto count = readSome(peer, std::as_writable_bytes(std::span(bytes)));
      if (!count.has_value() || *count == 0) return answer;
      answer.append(bytes, *count);
    }
  }

  const std::filesystem::path socket_ =
      std::filesystem::temp_directory_path() / ("qm-server-test-" + std::to_string(::getpid()) + ".sock");
  const rest::Router router_ = echoing();
  std::unique_ptr<Server> server_;
};

TEST_F(ServerTest, OneConnectionCarriesManyRequests) {
  const std::string answer = exchange(
      "POST /v1/echo HTTP/1.1\r\nHost: q\r\nContent-Length: 5\r\n\r\nfirst"
      "DELETE /v1/echo HTTP/1.1\r\nHost: q\r\n\r\n"
      "POST /v1/echo HTTP/1.1\r\nHost: q\r\nContent-Length: 4\r\nConnection: close\r\n\r\nlast");
  EXPECT_NE(answer.find("200 OK"), std::string::npos);
  EXPECT_NE(answer.find("first"), std::string::npos);
  EXPECT_NE(answer.find("204 No Content"), std::string::npos);
  EXPECT_TRUE(answer.ends_with("last")) << answer;
}

TEST_F(ServerTest, ABodyBeyondTheLimitIsRefusedBeforeItIsRead) {
  const std::string answer = exchange("POST /v1/echo HTTP/1.1\r\nHost: q\r\nContent-Length: 99999999\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 413")) << answer;
  EXPECT_NE(answer.find("body-too-large"), std::string::npos);
}

TEST_F(ServerTest, WhatIsNoHttpIsAProblemAndClosesThatConnectionOnly) {
  const std::string answer = exchange("\x16\x03\x01 hello\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << answer;
  EXPECT_NE(answer.find("application/problem+json"), std::string::npos);
  EXPECT_TRUE(exchange("GET /nowhere HTTP/1.1\r\nConnection: close\r\n\r\n").starts_with("HTTP/1.1 404"));
}

TEST_F(ServerTest, WhoAsksForLeaveToSendItsBodyGetsIt) {
  const std::string answer =
      exchange("POST /v1/echo HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 100 Continue")) << answer;
  EXPECT_TRUE(answer.ends_with("hi")) << answer;
}

TEST_F(ServerTest, AnUpgradeIsAskedForByHttp11Only) {
  const std::string rest = "\r\nHost: q\r\nConnection: close, Upgrade\r\nUpgrade: tcp\r\n\r\n";
  EXPECT_TRUE(exchange("GET /v1/upgrade HTTP/1.1" + rest).ends_with("to <tcp>"));
  EXPECT_TRUE(exchange("GET /v1/upgrade HTTP/1.0" + rest).ends_with("to <>"));
}

TEST_F(ServerTest, TheSocketIsItsOwnersAloneAndASecondServerIsRefused) {
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(socket_).permissions(), perms::owner_read | perms::owner_write);
  EXPECT_NE(server_->tcpPort(), 0);
  const auto second = Server::start({.socket = socket_}, router_, Log::silent());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().text(), "another program listens on " + socket_.string());
}

// What a test knows of requests whose answers are still to come, in the order in which they were begun.
struct Wait {
  std::array<Eventfd, 2> bells{Eventfd::create().value(), Eventfd::create().value()};
  std::atomic<int> begun = 0;
  std::atomic<int> givenUp = 0;
  std::atomic<int> undelivered = 0;
};

class PendingBell final : public rest::Pending {
 public:
  PendingBell(Wait& wait, rest::Client client)
      : wait_(wait), bell_(wait.bells.at(static_cast<std::size_t>(wait.begun++))), client_(client) {}
  ~PendingBell() override {
    if (!isOver_) ++wait_.givenUp;
  }
  const FileDescriptor& file() const override { return bell_.file(); }
  std::chrono::steady_clock::time_point deadline() const override { return deadline_; }
  rest::Client client() const override { return client_; }
  std::optional<rest::Begun> proceed() override {
    const bool isDue = std::chrono::steady_clock::now() >= deadline_;
    if (bell_.take() == 0 && !isDue) return std::nullopt;
    isOver_ = true;
    rest::Response response{.contentType = "text/plain", .body = "it came"};
    response.onUndelivered = [this_ = &wait_] { ++this_->undelivered; };
    return response;
  }

 private:
  Wait& wait_;
  const Eventfd& bell_;
  rest::Client client_;
  bool isOver_ = false;
  std::chrono::steady_clock::time_point deadline_ = std::chrono::steady_clock::now() + std::chrono::seconds(30);
};

class WaitingTest : public testing::Test {
 protected:
  void TearDown() override { server_.reset(); }
  FileDescriptor ask(std::string_view path) const {
    FileDescriptor peer = connectUnix(socket_, Blocking::yes).value();
    const std::string text = "GET " + std::string(path) + " HTTP/1.1\r\nHost: q\r\nConnection: close\r\n\r\n";
    EXPECT_TRUE(writeAll(peer, std::as_bytes(std::span(text))).has_value());
    return peer;
  }
  static std::string answerOf(const FileDescriptor& peer) {
    std::string answer;
    char bytes[4096];
    for (;;) {
      const auto count = readSome(peer, std::as_writable_bytes(std::span(bytes)));
      if (!count.has_value() || *count == 0) return answer;
      answer.append(bytes, *count);
    }
  }
  static void eventually(const std::atomic<int>& count, int wanted) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (count != wanted && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    ASSERT_EQ(count, wanted);
  }
  // Two answers that are to come, while another is given at once.
  void expectToHoldUpNoOthers(std::string_view one, std::string_view another) {
    const FileDescriptor first = ask(one);
    const FileDescriptor second = ask(another);
    eventually(wait_.begun, 2);
    EXPECT_TRUE(answerOf(ask("/now")).ends_with("at once"));
    for (const Eventfd& bell : wait_.bells) bell.signal();
    EXPECT_TRUE(answerOf(first).ends_with("it came"));
    EXPECT_TRUE(answerOf(second).ends_with("it came"));
  }
  rest::Route route(std::string path, rest::Client client) {
    return {"GET",
            std::move(path),
            "wait",
            [](const rest::Request&, const rest::PathValues&) { return rest::Response{}; },
            rest::Work::mayWait,
            [this, client](const rest::Request&, const rest::PathValues&) -> rest::Begun {
              return std::make_unique<PendingBell>(wait_, client);
            }};
  }
  // What it waits for is begun on a thread.
  rest::Route onThreadFirst(std::string path) {
    rest::Route made = route(std::move(path), rest::Client::isNeeded);
    made.begin = [begin = made.begin](const rest::Request& request, const rest::PathValues& values) -> rest::Begun {
      return rest::OnThread{[&request, &values, begin] { return begin(request, values); }};
    };
    return made;
  }

  const std::filesystem::path socket_ =
      std::filesystem::temp_directory_path() / ("qm-waiting-test-" + std::to_string(::getpid()) + ".sock");
  Wait wait_;
  const rest::Router router_{{route("/needed", rest::Client::isNeeded),
                              route("/anyway", rest::Client::mayBeGone),
                              onThreadFirst("/later"),
                              {"GET", "/now", "now", [](const rest::Request&, const rest::PathValues&) {
                                 return rest::Response{.contentType = "text/plain", .body = "at once"};
                               }}}};
  // One thread for what may wait: an answer that is to come must not hold it.
  std::unique_ptr<Server> server_ = Server::start({.socket = socket_, .threads = 1}, router_, Log::silent()).value();
};

TEST_F(WaitingTest, AnswersThatAreToComeHoldUpNoOthers) {
  expectToHoldUpNoOthers("/needed", "/anyway");
}

TEST_F(WaitingTest, WhatIsBegunOnAThreadLeavesItToOthers) {
  expectToHoldUpNoOthers("/later", "/later");
}

TEST_F(WaitingTest, WhoGoesAwayHasGivenUpWhatItAskedFor) {
  FileDescriptor peer = ask("/needed");
  eventually(wait_.begun, 1);
  peer.close();
  eventually(wait_.givenUp, 1);
  EXPECT_EQ(wait_.undelivered, 0);
}

TEST_F(WaitingTest, WhatNobodyTakesIsTakenBack) {
  FileDescriptor peer = ask("/anyway");
  eventually(wait_.begun, 1);
  peer.close();
  wait_.bells[0].signal();
  eventually(wait_.undelivered, 1);
  EXPECT_EQ(wait_.givenUp, 0);
}

TEST(TcpAddress, NumericAddressesWithAPortAreTaken) {
  EXPECT_EQ(parseTcpAddress("127.0.0.1:80").value(), (TcpAddress{"127.0.0.1", 80}));
  EXPECT_EQ(parseTcpAddress("[::1]:0").value(), (TcpAddress{"::1", 0}));
  for (const char* refused : {"", "localhost:80", "127.0.0.1", "127.0.0.1:", "127.0.0.1:70000", "127.0.0.1:80x"}) {
    EXPECT_FALSE(parseTcpAddress(refused).has_value()) << refused;
  }
}

}  // namespace
}  // namespace qm
