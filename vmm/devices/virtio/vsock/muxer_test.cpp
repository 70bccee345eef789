#include "vmm/devices/virtio/vsock/muxer_fixture.h"

namespace qm::vsock {
namespace {

// ---- Connections that the host asks for ----

TEST_F(VsockMuxer, AClientAndAPortOfTheGuestTalkBothWays) {
  const FileDescriptor host = clientOf(52);
  const auto request = next();
  EXPECT_EQ(operationOf(request.header), Operation::request);
  EXPECT_EQ(request.header.destinationPort, 52U);
  EXPECT_EQ(arrived(host), "");
  guestSends(Operation::response, portsOf(request));
  EXPECT_EQ(arrived(host), "OK " + std::to_string(request.header.sourcePort) + "\n");
  send(host, "to the guest");
  EXPECT_EQ(next().payload, "to the guest");
  guestSends(Operation::data, portsOf(request), "to the host");
  EXPECT_EQ(arrived(host), "to the host");
}

TEST_F(VsockMuxer, ARefusedClientReadsTheEnd) {
  const FileDescriptor host = clientOf(52);
  guestSends(Operation::reset, portsOf(next()));
  EXPECT_EQ(arrived(host), "<end>");
  EXPECT_EQ(muxer_->connections(), 0U);
  EXPECT_EQ(counters_.connectionsRefused, 1U);
  EXPECT_TRUE(guest_.packets.empty());
}

TEST_F(VsockMuxer, BytesBehindTheLineReachTheGuestOnceItAnswered) {
  const FileDescriptor host = client();
  send(host, "CONNECT 52\nfirst words");
  const auto request = next();
  EXPECT_TRUE(guest_.packets.empty());
  guestSends(Operation::response, portsOf(request));
  EXPECT_EQ(next().payload, "first words");
}

TEST_F(VsockMuxer, TheLineMayComeInPieces) {
  const FileDescriptor host = client();
  send(host, "CONN");
  send(host, "ECT 5");
  send(host, "2\n");
  EXPECT_EQ(next().header.destinationPort, 52U);
}

TEST_F(VsockMuxer, AnyOtherLineClosesTheClient) {
  for (const char* line :
       {"HELLO\n", "CONNECT\n", "CONNECT x\n", "\n", "CONNECT 1 and much more than a line may have\n"}) {
    const FileDescriptor host = client();
    send(host, line);
    // Closing a socket with unread bytes resets its peer; either way the stream is over.
    std::array<std::byte, 1> byte;
    const auto count = readSome(host, byte);
    EXPECT_TRUE(!count.has_value() ? count.error().remedy() == Remedy::giveUp : *count == 0) << line;
  }
  EXPECT_EQ(counters_.connectionsRefused, 5U);
  EXPECT_TRUE(guest_.packets.empty());
}

TEST_F(VsockMuxer, ARequestThatIsNotAnsweredInTimeIsResetAndItsClientClosed) {
  config_.answerTime = std::chrono::milliseconds(0);
  start({});
  const FileDescriptor host = clientOf(52);
  EXPECT_EQ(operationOf(next().header), Operation::request);
  while (guest_.packets.empty()) settle();
  EXPECT_EQ(operationOf(next().header), Operation::reset);
  EXPECT_EQ(arrived(host), "<end>");
}

TEST_F(VsockMuxer, HostPortsAreNotUsedTwice) {
  const Talk first = opened(52);
  const Talk second = opened(52);
  EXPECT_EQ(first.ports.hostPort, kFirstHostPort);
  EXPECT_EQ(second.ports.hostPort, kFirstHostPort + 1);
}

TEST_F(VsockMuxer, BeyondTheLimitClientsAreClosedAndTheGuestIsReset) {
  config_.maxConnections = 2;
  start({});
  const Talk first = opened(52);
  const Talk second = opened(52);
  const FileDescriptor third = client();
  settle();
  EXPECT_EQ(arrived(third), "<end>");
  const auto listener = listenUnix(folder_.path() / "v.sock_9", Blocking::no).value();
  guestSends(Operation::request, {.hostPort = 9, .guestPort = 77});
  EXPECT_EQ(operationOf(next().header), Operation::reset);
}

// ---- Connections that the guest asks for ----

TEST_F(VsockMuxer, TheGuestReachesWhoListensAtThePortsPath) {
  const auto listener = listenUnix(folder_.path() / "v.sock_900", Blocking::no).value();
  const Ports ports{.hostPort = 900, .guestPort = 77};
  guestSends(Operation::request, ports);
  EXPECT_EQ(operationOf(next().header), Operation::response);
  const auto host = acceptUnix(listener, Blocking::no).value();
  guestSends(Operation::data, ports, "hello");
  EXPECT_EQ(arrived(host), "hello");
  send(host, "and back");
  EXPECT_EQ(next().payload, "and back");
}

TEST_F(VsockMuxer, AGuestThatAsksForAPortWhereNobodyListensIsReset) {
  guestSends(Operation::request, {.hostPort = 901, .guestPort = 77});
  const auto reset = next();
  EXPECT_EQ(operationOf(reset.header), Operation::reset);
  EXPECT_EQ(reset.header.sourcePort, 901U);
  EXPECT_EQ(reset.header.destinationPort, 77U);
  EXPECT_EQ(muxer_->connections(), 0U);
}

// ---- Ends ----

TEST_F(VsockMuxer, AHostThatEndsItsSendingMayStillReceive) {
  const Talk talk = opened(52);
  EXPECT_EQ(sendSome(talk.host, bytesOf("last")).value(), 4U);
  stopSending(talk.host);
  settle();
  EXPECT_EQ(next().payload, "last");
  const auto shutdown = next();
  EXPECT_EQ(operationOf(shutdown.header), Operation::shutdown);
  EXPECT_EQ(shutdown.header.flags, kShutdownSend);
  guestSends(Operation::data, talk.ports, "answer");
  EXPECT_EQ(arrived(talk.host), "answer");
}

TEST_F(VsockMuxer, AGuestThatEndsItsSendingMayStillReceive) {
  const Talk talk = opened(52);
  guestSends(Operation::data, talk.ports, "last");
  guestSends(Operation::shutdown, talk.ports, {}, kShutdownSend);
  EXPECT_EQ(arrived(talk.host), "last<end>");
  send(talk.host, "answer");
  EXPECT_EQ(next().payload, "answer");
}

TEST_F(VsockMuxer, AGuestThatReceivesNoMoreMakesTheHostsSendFail) {
  const Talk talk = opened(52);
  guestSends(Operation::shutdown, talk.ports, {}, kShutdownReceive);
  EXPECT_EQ(sendSome(talk.host, bytesOf("x")).error().remedy(), Remedy::giveUp);
  guestSends(Operation::data, talk.ports, "still sends");
  EXPECT_EQ(arrived(talk.host), "still sends");
}

TEST_F(VsockMuxer, AGuestThatClosesIsAnsweredWithAReset) {
  const Talk talk = opened(52);
  guestSends(Operation::data, talk.ports, "last");
  guestSends(Operation::shutdown, talk.ports, {}, kShutdownSend | kShutdownReceive);
  EXPECT_EQ(operationOf(next().header), Operation::reset);
  EXPECT_EQ(arrived(talk.host), "last<end>");
  EXPECT_EQ(muxer_->connections(), 0U);
}

TEST_F(VsockMuxer, AHostThatClosesIsToldToTheGuestWhoseResetEndsIt) {
  Talk talk = opened(52);
  talk.host.close();
  settle();
  const auto shutdown = next();
  EXPECT_EQ(operationOf(shutdown.header), Operation::shutdown);
  EXPECT_EQ(shutdown.header.flags, kShutdownSend | kShutdownReceive);
  guestSends(Operation::data, talk.ports, "was on its way");
  EXPECT_EQ(muxer_->connections(), 1U);
  guestSends(Operation::reset, talk.ports);
  EXPECT_EQ(muxer_->connections(), 0U);
  EXPECT_TRUE(guest_.packets.empty());
}

TEST_F(VsockMuxer, AGuestThatDoesNotAnswerAHostsCloseIsReset) {
  config_.answerTime = std::chrono::milliseconds(0);
  start({});
  const auto listener = listenUnix(folder_.path() / "v.sock_9", Blocking::no).value();
  guestSends(Operation::request, {.hostPort = 9, .guestPort = 77});
  EXPECT_EQ(operationOf(next().header), Operation::response);
  acceptUnix(listener, Blocking::no).value().close();
  while (muxer_->connections() == 1) settle();
  EXPECT_EQ(operationOf(next().header), Operation::shutdown);
  EXPECT_EQ(operationOf(next().header), Operation::reset);
}

TEST_F(VsockMuxer, AHostThatClosesWhileItsBytesWaitForBuffersLosesNone) {
  Talk talk = opened(52);
  guest_.buffers = 0;
  send(talk.host, "last words");
  talk.host.close();
  settle();
  guest_.buffers = 10;
  muxer_->pump();
  settle();
  EXPECT_EQ(next().payload, "last words");
  EXPECT_EQ(operationOf(next().header), Operation::shutdown);
}

TEST_F(VsockMuxer, AResetOfTheDeviceEndsEveryConnectionAndTellsTheGuestNothing) {
  const Talk talk = opened(52);
  muxer_->reset();
  settle();
  EXPECT_EQ(arrived(talk.host), "<end>");
  EXPECT_TRUE(guest_.packets.empty());
  const Talk again = opened(52);
  send(again.host, "works");
  EXPECT_EQ(next().payload, "works");
}

// ---- The socket's file ----

TEST_F(VsockMuxer, TheSocketsFileGoesWithTheDevice) {
  EXPECT_TRUE(std::filesystem::exists(config_.socketPath));
  muxer_.reset();
  EXPECT_FALSE(std::filesystem::exists(config_.socketPath));
}

TEST_F(VsockMuxer, SomethingAtTheSocketsPathIsSaidClearlyAndLeftAlone) {
  const auto second = Muxer::create(*loop_, config_, {}, guest_, counters_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().remedy(), Remedy::fixInput);
  EXPECT_NE(second.error().text().find("something is there"), std::string::npos);
  EXPECT_TRUE(std::filesystem::exists(config_.socketPath));
}

}  // namespace
}  // namespace qm::vsock
