#include "api/daemon/server/server.h"

#include <unistd.h>

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "vmm/os/unix_socket.h"

namespace qm {
namespace {

rest::Router echoing() {
  return rest::Router({{"POST", "/v1/echo", "echo",
                        [](const rest::Request& request, const rest::PathValues&) {
                          return rest::Response{.contentType = "text/plain", .body = request.body};
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

TEST_F(ServerTest, TheSocketIsItsOwnersAloneAndASecondServerIsRefused) {
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(socket_).permissions(), perms::owner_read | perms::owner_write);
  EXPECT_NE(server_->tcpPort(), 0);
  const auto second = Server::start({.socket = socket_}, router_, Log::silent());
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().text(), "another program listens on " + socket_.string());
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
