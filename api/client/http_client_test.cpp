#include "api/client/http_client.h"

#include <chrono>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/unix_socket.h"

namespace qm {
namespace {

using namespace std::chrono_literals;

HttpClient::Deadline in(std::chrono::milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

// Answers each connection with prepared bytes, one after another, having read one request; then closes it.
class Script {
 public:
  Script(const std::filesystem::path& socket, std::vector<std::vector<std::string>> connections)
      : listener_(listenUnix(socket, Blocking::yes).value()),
        thread_([this, connections = std::move(connections)] { play(connections); }) {}

 private:
  void play(const std::vector<std::vector<std::string>>& connections) const {
    for (const std::vector<std::string>& answers : connections) {
      const FileDescriptor peer = acceptUnix(listener_, Blocking::yes).value();
      for (const std::string& answer : answers) {
        std::byte request[4096];
        if (!readSome(peer, request).has_value()) return;
        EXPECT_TRUE(writeAll(peer, std::as_bytes(std::span(answer))).has_value());
      }
    }
  }

  FileDescriptor listener_;
  std::jthread thread_;
};

const std::string kOk = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}";
const std::string kNoContent = "HTTP/1.1 204 \r\nConnection: keep-alive\r\n\r\n";

class HttpClientTest : public testing::Test {
 protected:
  Result<HttpAnswer> ask(std::chrono::milliseconds limit = 5s) {
    return client.ask({.method = "PUT", .target = "/actions", .body = "{}"}, in(limit));
  }

  test::TempFolder folder;
  std::filesystem::path socket = folder.path() / "s";
  HttpClient client{socket};
};

TEST_F(HttpClientTest, OneConnectionServesManyRequests) {
  const Script script(socket, {{kOk, kNoContent, kOk}});
  EXPECT_EQ(ask().value().body, "{}");
  EXPECT_EQ(ask().value().status, 204);
  EXPECT_EQ(ask().value().contentType, "application/json");
}

TEST_F(HttpClientTest, AConnectionThatTheServerClosedIsMadeAnew) {
  const Script script(socket, {{kOk}, {kOk}});
  EXPECT_TRUE(ask().has_value());
  std::this_thread::sleep_for(20ms);  // the server's close arrives
  EXPECT_TRUE(ask().has_value());
}

TEST_F(HttpClientTest, NobodyThereMayBeTriedAgain) {
  EXPECT_EQ(ask().error().remedy(), Remedy::retry);
}

TEST_F(HttpClientTest, ASilentServerIsLeftAtTheDeadline) {
  const FileDescriptor listener = listenUnix(socket, Blocking::yes).value();
  const auto answer = ask(30ms);
  ASSERT_FALSE(answer.has_value());
  EXPECT_EQ(answer.error().remedy(), Remedy::retry);
}

TEST_F(HttpClientTest, WhatIsNoHttpIsGivenUp) {
  const Script script(socket, {{"SSH-2.0-OpenSSH\r\n\r\n"}});
  EXPECT_EQ(ask().error().remedy(), Remedy::giveUp);
}

}  // namespace
}  // namespace qm
