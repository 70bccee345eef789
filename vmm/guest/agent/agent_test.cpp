#include "vmm/guest/agent/agent.h"

#include <fcntl.h>
#include <signal.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <functional>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/guest/client/agent_client.h"
#include "vmm/guest/protocol/limits.h"
#include "vmm/guest/protocol/reply_codec.h"
#include "vmm/guest/protocol/request_codec.h"
#include "vmm/os/stream_socket.h"
#include "vmm/os/testing/temp_folder.h"
#include "vmm/os/unix_socket.h"
#include "vmm/os/wait.h"

namespace qm::agent {
namespace {

using std::chrono::milliseconds;
using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::uint64_t kGuestNonce = 0x5eed;

AgentClient::Deadline soon() {
  return std::chrono::steady_clock::now() + std::chrono::seconds(20);
}

std::string textOf(const std::vector<std::byte>& bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

std::vector<std::byte> bytesOf(std::string_view text) {
  const auto bytes = std::as_bytes(std::span(text));
  return {bytes.begin(), bytes.end()};
}

Run shell(const std::string& script) {
  return {.argv = {"/bin/sh", "-c", script}, .outputLimit = 65'536};
}

Renew renewWith(std::vector<std::vector<std::string>> hooks) {
  return {.entropy = std::vector<std::byte>(32),
          .wallClockNs = 1,
          .hostname = "clone",
          .machineId = std::string(32, 'a'),
          .cloneId = "c1",
          .hooks = std::move(hooks)};
}

// An agent on a thread of its own that remembers what it would have done to its machine.
class AgentTest : public testing::Test {
 protected:
  AgentTest() {
    ignoreBrokenPipes();
    thread_ = std::jthread([this] { loop_->run(); });
  }
  ~AgentTest() override {
    loop_->postAndWait([this] { agent_.reset(); });
    loop_->stop();
  }

  FileDescriptor connect() {
    auto [ours, agents] = unixSocketPair().value();
    loop_->postAndWait([&] { EXPECT_TRUE(agent_->serve(std::move(agents)).has_value()); });
    return std::move(ours);
  }
  AgentClient client() { return AgentClient(connect()); }

  std::vector<std::string> renewedHostnames_;
  Status renewal_;
  int powerOffs_ = 0;
  std::function<void()> atPowerOff_;  // on the loop's thread
  std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
  std::unique_ptr<Agent> agent_ =
      std::make_unique<Agent>(*loop_, Machine{.guestNonce = kGuestNonce,
                                              .renew =
                                                  [this](const Renew& renew) {
                                                    renewedHostnames_.push_back(renew.hostname);
                                                    return renewal_;
                                                  },
                                              .powerOff =
                                                  [this] {
                                                    ++powerOffs_;
                                                    if (atPowerOff_) atPowerOff_();
                                                  }});
  std::jthread thread_;
};

TEST_F(AgentTest, AnswersAPingWithItsOwnNonce) {
  AgentClient client = this->client();
  const Pong pong = client.ping(17, soon()).value();
  EXPECT_EQ(pong.nonce, 17U);
  EXPECT_EQ(pong.guestNonce, kGuestNonce);
}

TEST_F(AgentTest, RunsAProgramAndKeepsItsStreamsApart) {
  const Ran ran = client().run(shell("echo out; echo err >&2; exit 3"), soon()).value();
  EXPECT_EQ(textOf(ran.out), "out\n");
  EXPECT_EQ(textOf(ran.err), "err\n");
  EXPECT_EQ(ran.exitCode, 3);
  EXPECT_EQ(ran.signal, 0);
}

TEST_F(AgentTest, FindsAProgramByItsPath) {
  const Ran ran = client().run({.argv = {"echo", "a b"}, .outputLimit = 64}, soon()).value();
  EXPECT_EQ(textOf(ran.out), "a b\n");
}

TEST_F(AgentTest, GivesEnvironmentFolderAndInput) {
  auto run = shell("echo $A-$PATH; pwd; cat");
  run.env = {"A=1", "PATH=/bin:/usr/bin"};
  run.cwd = "/usr";
  run.stdin = bytesOf("input");
  EXPECT_EQ(textOf(client().run(run, soon()).value().out), "1-/bin:/usr/bin\n/usr\ninput");
}

TEST_F(AgentTest, ReportsTheSignalThatEndedAProgram) {
  const Ran ran = client().run(shell("kill -TERM $$"), soon()).value();
  EXPECT_EQ(ran.signal, SIGTERM);
  EXPECT_FALSE(ran.timedOut);
}

TEST_F(AgentTest, BreaksAPipeForAProgramAsAnyShellDoes) {
  const Ran ran = client().run(shell("kill -PIPE $$; echo went on"), soon()).value();
  EXPECT_EQ(ran.signal, SIGPIPE);
  EXPECT_EQ(textOf(ran.out), "");
}

TEST_F(AgentTest, KillsAProgramAndItsChildrenWhenTheirTimeIsUp) {
  auto run = shell("echo begun; sleep 60 & sleep 60");
  run.timeoutMs = 200;
  const Ran ran = client().run(run, soon()).value();
  EXPECT_TRUE(ran.timedOut);
  EXPECT_EQ(ran.signal, SIGKILL);
  EXPECT_EQ(textOf(ran.out), "begun\n");
  EXPECT_LT(ran.durationUs, 10'000'000U);
}

TEST_F(AgentTest, DoesNotWaitForAChildThatAProgramLeavesBehind) {
  const Ran ran = client().run(shell("sleep 3 & echo done"), soon()).value();
  EXPECT_EQ(textOf(ran.out), "done\n");
  EXPECT_LT(ran.durationUs, 2'500'000U);
}

TEST_F(AgentTest, KeepsOutputUpToItsLimitAndLetsTheProgramWriteTheRest) {
  auto run = shell("head -c 1000000 /dev/zero; head -c 99 /dev/zero >&2; exit 4");
  run.outputLimit = 100;
  const Ran ran = client().run(run, soon()).value();
  EXPECT_EQ(ran.out.size(), 100U);
  EXPECT_TRUE(ran.outTruncated);
  EXPECT_EQ(ran.err.size(), 99U);
  EXPECT_FALSE(ran.errTruncated);
  EXPECT_EQ(ran.exitCode, 4);
}

TEST_F(AgentTest, CarriesMegabytesBothWays) {
  const agent::Run run{.argv = {"cat"},
                       .stdin = std::vector<std::byte>(kMaxOutputBytes, std::byte{'x'}),
                       .outputLimit = kMaxOutputBytes};
  const Ran ran = client().run(run, soon()).value();
  EXPECT_EQ(ran.out, run.stdin);
  EXPECT_FALSE(ran.outTruncated);
}

TEST_F(AgentTest, AProgramThatDoesNotReadItsInputIsNoError) {
  const agent::Run run{.argv = {"true"}, .stdin = std::vector<std::byte>(1 << 20)};
  EXPECT_EQ(client().run(run, soon()).value().exitCode, 0);
}

TEST_F(AgentTest, WhatCannotBeStartedIsRefusedWithTheReason) {
  AgentClient client = this->client();
  const auto missing = client.run({.argv = {"/no/such/program"}}, soon());
  EXPECT_EQ(missing.error().remedy(), Remedy::fixInput);
  EXPECT_THAT(missing.error().text(), HasSubstr("No such file"));
  auto nowhere = shell("true");
  nowhere.cwd = "/no/such/folder";
  EXPECT_THAT(client.run(nowhere, soon()).error().text(), HasSubstr("/no/such/folder"));
  auto nobody = shell("true");
  nobody.user = "no-such-user";
  EXPECT_THAT(client.run(nobody, soon()).error().text(), HasSubstr("no-such-user"));
  EXPECT_TRUE(client.ping(1, soon()).has_value());
}

TEST_F(AgentTest, RunsManyAtOnceOverOneConnectionAndAnswersTheFirstDoneFirst) {
  const test::TempFolder folder;
  const std::filesystem::path othersAreDone = folder.path() / "others-are-done";
  const FileDescriptor stream = connect();
  const auto ask = [&](std::uint64_t id, const std::string& script) {
    ASSERT_TRUE(writeAll(stream, encodeRequest({.id = id, .body = shell(script)}).value()).has_value());
  };
  ask(1, "until [ -e " + othersAreDone.string() + " ]; do sleep 0.02; done");
  for (std::uint64_t id = 2; id < 12; ++id) ask(id, "exit " + std::to_string(id));
  FrameReader frames;
  std::vector<std::uint64_t> ids;
  while (ids.size() < 11) {
    frames.filled(readSome(stream, frames.room()).value());
    while (const auto frame = frames.front().value()) {
      const Reply reply = decodeReply(*frame).value();
      frames.drop();
      EXPECT_EQ(static_cast<std::uint64_t>(std::get<Ran>(reply.body).exitCode), reply.id == 1 ? 0 : reply.id);
      ids.push_back(reply.id);
      if (ids.size() == 10) std::ofstream(othersAreDone).put('\n');
    }
  }
  EXPECT_EQ(ids.back(), 1U);
}

TEST_F(AgentTest, RequestsBeyondItsLimitAreToldToComeLater) {
  const FileDescriptor stream = connect();
  for (std::uint64_t id = 1; id <= kMaxRequestsUnderWay + 1; ++id) {
    ASSERT_TRUE(writeAll(stream, encodeRequest({.id = id, .body = shell("sleep 20")}).value()).has_value());
  }
  FrameReader frames;
  while (!frames.front().value().has_value()) frames.filled(readSome(stream, frames.room()).value());
  const Reply reply = decodeReply(*frames.front().value()).value();
  EXPECT_EQ(reply.id, kMaxRequestsUnderWay + 1);
  EXPECT_EQ(std::get<Refusal>(reply.body).remedy, Remedy::retry);
}

TEST_F(AgentTest, AProgramIsKilledWhenItsConnectionEnds) {
  // The program holds the other end of this socket for as long as it lives.
  auto [ours, theirs] = unixSocketPair().value();
  ASSERT_GE(::fcntl(theirs.get(), F_SETFD, 0), 0);
  {
    AgentClient client = this->client();
    const auto deadline = std::chrono::steady_clock::now() + milliseconds(200);
    EXPECT_EQ(client.run({.argv = {"sleep", "1000"}}, deadline).error().remedy(), Remedy::retry);
    theirs.close();
    EXPECT_FALSE(isHungUp(ours));
  }
  ASSERT_TRUE(waitReadable(ours, soon()).has_value());
  std::vector<std::byte> end(1);
  EXPECT_EQ(readSome(ours, end).value(), 0U);
}

TEST_F(AgentTest, BytesThatAreNoMessageEndTheirConnectionAlone) {
  AgentClient good = client();
  const FileDescriptor bad = connect();
  ASSERT_TRUE(writeAll(bad, std::vector<std::byte>(100, std::byte{0xff})).has_value());
  std::vector<std::byte> end(1);
  EXPECT_EQ(readSome(bad, end).value_or(0), 0U);
  EXPECT_TRUE(good.ping(1, soon()).has_value());
}

TEST_F(AgentTest, AConnectionClosedInTheMiddleOfAMessageHarmsNobody) {
  AgentClient good = client();
  {
    const FileDescriptor half = connect();
    const auto bytes = encodeRequest({.id = 1, .body = Ping{}}).value();
    ASSERT_TRUE(writeAll(half, std::span(bytes).first(20)).has_value());
  }
  EXPECT_TRUE(good.ping(1, soon()).has_value());
}

TEST_F(AgentTest, ARequestOutOfRangeIsRefusedAndTheConnectionLives) {
  AgentClient client = this->client();
  EXPECT_EQ(client.run({.argv = {}}, soon()).error().remedy(), Remedy::fixInput);
  EXPECT_TRUE(client.ping(1, soon()).has_value());
}

TEST_F(AgentTest, ConnectionsBeyondItsLimitAreClosed) {
  std::vector<FileDescriptor> streams;
  for (std::size_t i = 0; i < kMaxSessions; ++i) streams.push_back(connect());
  loop_->postAndWait([this] {
    auto pair = unixSocketPair().value();
    EXPECT_EQ(agent_->serve(std::move(pair.first)).error().remedy(), Remedy::retry);
  });
}

TEST_F(AgentTest, RenewsThenRunsTheHooksInOrder) {
  AgentClient client = this->client();
  Renew renew = renewWith({{"/bin/true"}, {"sh", "-c", "test $QUICKMATCH_CLONE_ID = c1"}});
  renew.nonce = 71;
  const auto renewed = client.renew(renew, soon());
  ASSERT_TRUE(renewed.has_value()) << renewed.error().text();
  EXPECT_EQ(renewed->guestNonce, kGuestNonce);
  EXPECT_EQ(renewed->nonce, 71U);
  EXPECT_EQ(renewed->hooks.size(), 2U);
  EXPECT_THAT(renewedHostnames_, ElementsAre("clone"));
}

TEST_F(AgentTest, AHookThatFailsFailsTheRenewalAndSaysWhy) {
  AgentClient client = this->client();
  const auto failed = client.renew(renewWith({{"sh", "-c", "echo no luck >&2; exit 7"}, {"/bin/true"}}), soon());
  EXPECT_EQ(failed.error().text(), "in the guest: hook sh exited 7: no luck\n");
  const auto missing = client.renew(renewWith({{"/no/such/hook"}}), soon());
  EXPECT_THAT(missing.error().text(), HasSubstr("hook /no/such/hook"));
}

TEST_F(AgentTest, ARenewalThatTheMachineRefusesRunsNoHook) {
  renewal_ = Error(Remedy::giveUp, "no clock");
  const auto failed = client().renew(renewWith({{"/no/such/hook"}}), soon());
  EXPECT_EQ(failed.error().text(), "in the guest: no clock");
}

TEST_F(AgentTest, AnswersAStopBeforeItPowersOff) {
  AgentClient client = this->client();
  ASSERT_TRUE(client.stop(soon()).has_value());
  loop_->postAndWait([this] { EXPECT_EQ(powerOffs_, 1); });
}

TEST_F(AgentTest, AnswersARequestBeforeItTakesItOutOfItsStream) {
  auto [ours, agents] = unixSocketPair().value();
  const FileDescriptor same = agents.duplicate().value();
  const auto left = [&same] {
    std::array<std::byte, 256> bytes;
    return peekSome(same, bytes).value_or(0);
  };
  std::size_t leftAtTheAnswer = 0;
  atPowerOff_ = [&] { leftAtTheAnswer = left(); };  // which an answer brings about
  loop_->postAndWait([&] { EXPECT_TRUE(agent_->serve(std::move(agents)).has_value()); });
  ASSERT_TRUE(AgentClient(std::move(ours)).stop(soon()).has_value());
  loop_->postAndWait([&] { EXPECT_EQ(left(), 0U); });
  EXPECT_GT(leftAtTheAnswer, 0U);
}

}  // namespace
}  // namespace qm::agent
