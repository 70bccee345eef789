#include "vmm/guest/client/agent_client.h"

#include <unistd.h>

#include <filesystem>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/guest/protocol/reply_codec.h"
#include "vmm/os/unix_socket.h"

namespace qm::agent {
namespace {

using std::chrono::milliseconds;
using testing::HasSubstr;

AgentClient::Deadline in(milliseconds time) {
  return std::chrono::steady_clock::now() + time;
}

// An agent's end of a connection that says what a test tells it to say.
struct Guest {
  void say(std::span<const std::byte> bytes) { ASSERT_TRUE(writeAll(stream, bytes).has_value()); }
  void say(const Reply& reply) { say(encodeReply(reply).value()); }

  FileDescriptor stream;
};

struct Pair {
  Pair() : Pair(unixSocketPair().value()) {}
  explicit Pair(std::pair<FileDescriptor, FileDescriptor> ends)
      : guest{.stream = std::move(ends.first)}, client(std::move(ends.second)) {}

  Guest guest;
  AgentClient client;
};

TEST(AgentClient, APingIsAnsweredByItsEcho) {
  Pair pair;
  pair.guest.say(Reply{.id = 1, .body = Pong{.nonce = 7, .guestNonce = 9, .handledUs = 3}});
  EXPECT_EQ(pair.client.ping(7, in(milliseconds(1000))).value(), (Pong{.nonce = 7, .guestNonce = 9, .handledUs = 3}));
}

TEST(AgentClient, AnotherEchoThanTheNonceIsTheEndOfTheConnection) {
  Pair pair;
  pair.guest.say(Reply{.id = 1, .body = Pong{.nonce = 8}});
  EXPECT_EQ(pair.client.ping(7, in(milliseconds(1000))).error().remedy(), Remedy::giveUp);
  pair.guest.say(Reply{.id = 2, .body = Pong{.nonce = 7}});
  EXPECT_EQ(pair.client.ping(7, in(milliseconds(1000))).error().remedy(), Remedy::giveUp);
}

TEST(AgentClient, AnAgentThatIsSilentIsRetryAndItsLateAnswerIsSkipped) {
  Pair pair;
  EXPECT_EQ(pair.client.ping(1, in(milliseconds(10))).error().remedy(), Remedy::retry);
  pair.guest.say(Reply{.id = 1, .body = Pong{.nonce = 1}});
  pair.guest.say(Reply{.id = 2, .body = Pong{.nonce = 2}});
  EXPECT_EQ(pair.client.ping(2, in(milliseconds(1000))).value().nonce, 2U);
}

TEST(AgentClient, AnAnswerCutByTheDeadlineIsReadToItsEndByTheNextCall) {
  Pair pair;
  const auto late = encodeReply({.id = 1, .body = Pong{.nonce = 1}}).value();
  pair.guest.say(std::span(late).first(11));
  EXPECT_EQ(pair.client.ping(1, in(milliseconds(10))).error().remedy(), Remedy::retry);
  pair.guest.say(std::span(late).subspan(11));
  pair.guest.say(Reply{.id = 2, .body = Pong{.nonce = 2}});
  EXPECT_EQ(pair.client.ping(2, in(milliseconds(1000))).value().nonce, 2U);
}

TEST(AgentClient, AReplyToNoRequestOrOfAnotherKindIsTheEndOfTheConnection) {
  for (const Reply& lie : {Reply{.id = 5, .body = Pong{.nonce = 7}}, Reply{.id = 1, .body = Stopping{}}}) {
    Pair pair;
    pair.guest.say(lie);
    EXPECT_EQ(pair.client.ping(7, in(milliseconds(1000))).error().remedy(), Remedy::giveUp);
  }
}

TEST(AgentClient, BytesThatAreNoMessageAreTheEndOfTheConnection) {
  Pair pair;
  pair.guest.say(std::vector<std::byte>(64, std::byte{0xff}));
  EXPECT_EQ(pair.client.ping(7, in(milliseconds(1000))).error().remedy(), Remedy::giveUp);
}

TEST(AgentClient, AFloodOfLateRepliesDoesNotHoldItPastItsDeadline) {
  Pair pair;
  const auto late = encodeReply({.id = 0, .body = Pong{}}).value();
  std::jthread flood([&](const std::stop_token& stop) {
    while (!stop.stop_requested() && writeAll(pair.guest.stream, late).has_value()) {
    }
  });
  const auto start = std::chrono::steady_clock::now();
  EXPECT_EQ(pair.client.ping(7, in(milliseconds(50))).error().remedy(), Remedy::retry);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(5));
  flood.request_stop();
  std::vector<std::byte> rest(65536);
  // The writer may stand before a full socket: take what it wrote until it has seen the request.
  const FileDescriptor reader = pair.client.stream().duplicate().value();
  ASSERT_TRUE(setNonBlocking(reader).has_value());
  for (int i = 0; i < 1000; ++i) (void)readSome(reader, rest);
}

TEST(AgentClient, ARefusalKeepsItsRemedyAndTheConnection) {
  Pair pair;
  pair.guest.say(Reply{.id = 1, .body = Refusal{.remedy = Remedy::fixInput, .text = "no such program"}});
  pair.guest.say(Reply{.id = 2, .body = Pong{.nonce = 7}});
  const auto ran = pair.client.run({.argv = {"x"}}, in(milliseconds(1000)));
  EXPECT_EQ(ran.error().remedy(), Remedy::fixInput);
  EXPECT_THAT(ran.error().text(), HasSubstr("no such program"));
  EXPECT_TRUE(pair.client.ping(7, in(milliseconds(1000))).has_value());
}

TEST(AgentClient, ARenewalThatSkippedAHookOrTookAFailedOneIsAnError) {
  const Renew renew{.entropy = std::vector<std::byte>(32),
                    .hostname = "a",
                    .machineId = std::string(32, '0'),
                    .hooks = {{"/bin/true"}}};
  for (const std::vector<HookResult>& hooks : {std::vector<HookResult>{}, {{.exitCode = 1}}, {{.signal = 9}}}) {
    Pair pair;
    pair.guest.say(Reply{.id = 1, .body = Renewed{.guestNonce = 1, .hooks = hooks}});
    EXPECT_EQ(pair.client.renew(renew, in(milliseconds(1000))).error().remedy(), Remedy::giveUp);
  }
}

TEST(AgentClient, MoreOutputThanWasAskedForIsAnError) {
  Pair pair;
  pair.guest.say(Reply{.id = 1, .body = Ran{.out = std::vector<std::byte>(5)}});
  const auto ran = pair.client.run({.argv = {"x"}, .outputLimit = 4}, in(milliseconds(1000)));
  EXPECT_EQ(ran.error().remedy(), Remedy::giveUp);
}

struct SocketFile {
  std::filesystem::path path =
      std::filesystem::temp_directory_path() / ("agent-client-test-" + std::to_string(::getpid()));
  FileDescriptor listener = listenUnix(path, Blocking::yes).value();
  ~SocketFile() { std::filesystem::remove(path); }
};

// Answers the line that asks for the port.
FileDescriptor acceptWith(const SocketFile& socket, std::string_view answer) {
  FileDescriptor stream = acceptUnix(socket.listener, Blocking::yes).value();
  std::vector<std::byte> line(13);  // "CONNECT 5200\n"
  EXPECT_EQ(readSome(stream, line).value(), line.size());
  EXPECT_TRUE(writeAll(stream, std::as_bytes(std::span(answer))).has_value());
  return stream;
}

TEST(AgentClient, ConnectsThroughTheVsockDevicesSocket) {
  SocketFile socket;
  std::jthread device([&] {
    Guest guest{.stream = acceptWith(socket, "OK 1024\n")};
    std::vector<std::byte> request(4096);
    EXPECT_TRUE(readSome(guest.stream, request).has_value());
    guest.say(Reply{.id = 1, .body = Pong{.nonce = 7}});
  });
  auto client = AgentClient::connect(socket.path, in(milliseconds(1000)));
  ASSERT_TRUE(client.has_value());
  EXPECT_TRUE(client->ping(7, in(milliseconds(1000))).has_value());
}

TEST(AgentClient, ADeviceThatClosesMeansThatNobodyListensYet) {
  SocketFile socket;
  std::jthread device([&] { (void)acceptWith(socket, ""); });
  EXPECT_EQ(AgentClient::connect(socket.path, in(milliseconds(1000))).error().remedy(), Remedy::retry);
}

TEST(AgentClient, AnotherAnswerThanOkIsTheEnd) {
  SocketFile socket;
  std::jthread device([&] { (void)acceptWith(socket, "HTTP/1.1 400 Bad Request, and so on\n"); });
  EXPECT_EQ(AgentClient::connect(socket.path, in(milliseconds(1000))).error().remedy(), Remedy::giveUp);
}

TEST(AgentClient, WhatWasBegunIsTakenOnceItHasComeWhole) {
  Pair pair;
  ASSERT_TRUE(setNonBlocking(pair.client.stream()).has_value());
  ASSERT_TRUE(pair.client.begin(Ping{.nonce = 7}).has_value());
  EXPECT_EQ(pair.client.takePong(7).value(), std::nullopt);
  const std::vector<std::byte> answer = encodeReply({.id = 1, .body = Pong{.nonce = 7, .guestNonce = 9}}).value();
  pair.guest.say(std::span(answer).first(answer.size() - 1));
  EXPECT_EQ(pair.client.takePong(7).value(), std::nullopt);
  pair.guest.say(std::span(answer).last(1));
  EXPECT_EQ(pair.client.takePong(7).value(), (Pong{.nonce = 7, .guestNonce = 9}));
}

TEST(AgentClient, WhatIsTakenIsCheckedAsWhatIsCalled) {
  Pair pair;
  ASSERT_TRUE(setNonBlocking(pair.client.stream()).has_value());
  ASSERT_TRUE(pair.client.begin(agent::Run{.argv = {"yes"}, .outputLimit = 2}).has_value());
  pair.guest.say(Reply{.id = 1, .body = Ran{.out = std::vector<std::byte>(3)}});
  EXPECT_THAT(pair.client.takeRan(2).error().text(), HasSubstr("more output"));
  ASSERT_TRUE(pair.client.begin(Ping{.nonce = 7}).has_value());
  pair.guest.say(Reply{.id = 2, .body = Pong{.nonce = 8}});
  EXPECT_EQ(pair.client.takePong(7).error().remedy(), Remedy::giveUp);
  EXPECT_EQ(pair.client.begin(Ping{.nonce = 7}).error().remedy(), Remedy::giveUp);
}

}  // namespace
}  // namespace qm::agent
