#include "api/vmm/server/server.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/unix_socket.h"

namespace qm::vmm {
namespace {

// PUT echoes the body; everything else has nothing to say.
Answer echo(std::string_view method, std::string_view /*target*/, std::string_view body) {
  if (method != "PUT") return {};
  return {.status = 200, .body = std::string(body)};
}

class VmmServerTest : public testing::Test {
 protected:
  ~VmmServerTest() override {
    server_->stop();
    thread_.join();
    server_.reset();
    EXPECT_FALSE(std::filesystem::exists(socket_));
  }

  FileDescriptor connect() const { return connectUnix(socket_, Blocking::yes).value(); }
  static void send(const FileDescriptor& peer, std::string_view text) {
    EXPECT_TRUE(writeAll(peer, std::as_bytes(std::span(text))).has_value());
  }
  static std::string readToEnd(const FileDescriptor& peer) {
    std::string answer;
    char bytes[4096];
    for (;;) {
      const auto count = readSome(peer, std::as_writable_bytes(std::span(bytes)));
      if (!count.has_value() || *count == 0) return answer;
      answer.append(bytes, *count);
    }
  }
  // What comes back until the server closes.
  std::string exchange(std::string_view sent) const {
    const FileDescriptor peer = connect();
    send(peer, sent);
    return readToEnd(peer);
  }
  // One request and its answer on a connection that stays open.
  static std::string ask(const FileDescriptor& peer) {
    send(peer, "GET / HTTP/1.1\r\n\r\n");
    char bytes[4096];
    const auto count = readSome(peer, std::as_writable_bytes(std::span(bytes)));
    return {bytes, count.value()};
  }

  test::TempFolder folder_;
  const std::filesystem::path socket_ = folder_.path() / "api.sock";
  std::unique_ptr<Server> server_ = Server::listen(socket_, echo).value();
  std::thread thread_{[this] { server_->run(); }};
};

TEST_F(VmmServerTest, OneConnectionCarriesManyRequests) {
  const std::string answer = exchange(
      "PUT / HTTP/1.1\r\nContent-Length: 7\r\n\r\n\"first\""
      "GET / HTTP/1.1\r\n\r\n"
      "PUT / HTTP/1.1\r\nContent-Length: 6\r\nConnection: close\r\n\r\n\"last\"");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK")) << answer;
  EXPECT_NE(answer.find("\"first\"HTTP/1.1 204 No Content"), std::string::npos) << answer;
  EXPECT_TRUE(answer.ends_with("\"last\"")) << answer;
}

TEST_F(VmmServerTest, ABodyAtTheLimitIsTakenAndOneBeyondIsNot) {
  const std::string most(kLongestBody, 'x');
  EXPECT_TRUE(exchange("PUT / HTTP/1.1\r\nConnection: close\r\nContent-Length: 51200\r\n\r\n" + most).ends_with(most));
  const std::string answer = exchange("PUT / HTTP/1.1\r\nContent-Length: 51201\r\n\r\n");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 400")) << answer;
  EXPECT_NE(answer.find("Request payload with size 51201 is larger than the limit of 51200 allowed by server."),
            std::string::npos)
      << answer;
}

TEST_F(VmmServerTest, WhatIsNoHttpClosesThatConnectionOnly) {
  const FileDescriptor other = connect();
  EXPECT_TRUE(ask(other).starts_with("HTTP/1.1 204"));
  EXPECT_TRUE(exchange("\x16\x03\x01 hello\r\n\r\n").starts_with("HTTP/1.1 400"));
  EXPECT_EQ(exchange("PUT / HTTP/1.1\r\nContent-Length: x\r\n\r\n").substr(0, 12), "HTTP/1.1 400");
  EXPECT_TRUE(ask(other).starts_with("HTTP/1.1 204"));
}

TEST_F(VmmServerTest, WhoAsksForLeaveToSendItsBodyGetsIt) {
  const std::string answer =
      exchange("PUT / HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\nConnection: close\r\n\r\nhi");
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 100 Continue")) << answer;
  EXPECT_TRUE(answer.ends_with("hi")) << answer;
}

TEST_F(VmmServerTest, AConnectionTooManyIsTurnedAwayUntilAnotherEnds) {
  std::vector<FileDescriptor> peers;
  for (std::size_t i = 0; i < kMostConnections; ++i) {
    peers.push_back(connect());
    EXPECT_TRUE(ask(peers.back()).starts_with("HTTP/1.1 204"));
  }
  EXPECT_TRUE(readToEnd(connect()).starts_with("HTTP/1.1 503"));
  EXPECT_TRUE(ask(peers.front()).starts_with("HTTP/1.1 204"));
  send(peers.back(), "GET / HTTP/1.1\r\nConnection: close\r\n\r\n");
  EXPECT_TRUE(readToEnd(peers.back()).starts_with("HTTP/1.1 204"));
  EXPECT_TRUE(ask(connect()).starts_with("HTTP/1.1 204"));
}

TEST_F(VmmServerTest, ASocketThatIsThereIsAnError) {
  const auto second = Server::listen(socket_, echo);
  ASSERT_FALSE(second.has_value());
  EXPECT_NE(second.error().text().find(socket_.string()), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(socket_));
}

}  // namespace
}  // namespace qm::vmm
