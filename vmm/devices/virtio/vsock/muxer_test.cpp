#include "vmm/devices/virtio/vsock/muxer.h"

#include <deque>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "vmm/os/stream_socket.h"
#include "vmm/os/unix_socket.h"

namespace qm::vsock {
namespace {

constexpr std::uint64_t kGuestCid = 3;  // what a fresh VsockState has
constexpr std::uint32_t kAgentPort = 5200;
constexpr std::uint32_t kFirstHostPort = 1U << 30;

std::span<const std::byte> bytesOf(std::string_view text) {
  return std::as_bytes(std::span(text));
}
std::string textOf(std::span<const std::byte> bytes) {
  std::string text;
  for (const std::byte byte : bytes) text.push_back(static_cast<char>(byte));
  return text;
}

// The guest's driver, as far as the muxer sees it: so many receive buffers of one size, and all that ever came.
class FakeGuest final : public GuestSide {
 public:
  struct Packet {
    Header header;
    std::string payload;
  };
  std::optional<std::size_t> room() override { return buffers == 0 ? std::nullopt : std::optional(bufferBytes); }
  void deliver(const Header& header, std::span<const std::byte> payload) override {
    --buffers;
    packets.push_back({.header = header, .payload = textOf(payload)});
  }
  void onNextTurn() override { muxer->pump(); }

  std::size_t buffers = 100'000;
  std::size_t bufferBytes = 4052;  // what a Linux driver's buffers leave
  std::deque<Packet> packets;
  Muxer* muxer = nullptr;
};

class VsockMuxer : public testing::Test {
 protected:
  VsockMuxer() {
    folder_ = std::filesystem::temp_directory_path() / ("vsock-test-" + std::to_string(::getpid()));
    std::filesystem::create_directory(folder_);
    config_ = {.socketPath = folder_ / "v.sock", .agentPort = kAgentPort, .answerTime = std::chrono::hours(1)};
    start({});
  }
  ~VsockMuxer() override {
    muxer_.reset();
    std::filesystem::remove_all(folder_);
  }

  void start(const virtio::VsockState& state) {
    muxer_.reset();
    muxer_ = Muxer::create(*loop_, config_, state, guest_, counters_).value();
    guest_.muxer = muxer_.get();
  }
  // Lets the loop see all that is ready. Unix sockets have what was sent at once, so a few turns settle everything.
  void settle() {
    for (int turn = 0; turn < 8; ++turn) {
      loop_->stop();
      loop_->run();
    }
  }

  FileDescriptor client() { return connectUnix(config_.socketPath, Blocking::no).value(); }
  FileDescriptor clientOf(std::uint32_t port) {
    FileDescriptor made = client();
    send(made, "CONNECT " + std::to_string(port) + "\n");
    return made;
  }
  void send(const FileDescriptor& socket, std::string_view text) {
    EXPECT_EQ(sendSome(socket, bytesOf(text)).value(), text.size());
    settle();
  }
  // All that has arrived; "<end>" after it when the stream has ended.
  std::string arrived(const FileDescriptor& socket) {
    std::string text;
    for (;;) {
      std::array<std::byte, 4096> bytes;
      const auto count = readSome(socket, bytes);
      if (!count.has_value()) return text;
      if (*count == 0) return text + "<end>";
      text += textOf(std::span(bytes).first(*count));
    }
  }

  // The guest sends a packet of `operation` from its port.
  void guestSends(Operation operation, Ports ports, std::string_view payload = {}, std::uint32_t flags = 0) {
    guestSends({.sourceCid = kGuestCid,
                .destinationCid = kHostCid,
                .sourcePort = ports.guestPort,
                .destinationPort = ports.hostPort,
                .length = static_cast<std::uint32_t>(payload.size()),
                .operation = std::to_underlying(operation),
                .flags = flags,
                .bufferBytes = guestBuffer_,
                .forwardedBytes = guestForwarded_},
               payload);
  }
  void guestSends(const Header& header, std::string_view payload = {}) {
    muxer_->receive(header, bytesOf(payload));
    muxer_->pump();
    settle();
  }
  // The next packet that came to the guest; an empty one with operation 0 when there is none.
  FakeGuest::Packet next() {
    if (guest_.packets.empty()) return {};
    FakeGuest::Packet packet = std::move(guest_.packets.front());
    guest_.packets.pop_front();
    return packet;
  }
  Ports portsOf(const FakeGuest::Packet& packet) {
    return {.hostPort = packet.header.sourcePort, .guestPort = packet.header.destinationPort};
  }

  struct Talk {
    FileDescriptor host;
    Ports ports;
  };
  // A connection that a client of the host opened.
  Talk opened(std::uint32_t guestPort) {
    FileDescriptor host = clientOf(guestPort);
    const FakeGuest::Packet request = next();
    EXPECT_EQ(operationOf(request.header), Operation::request);
    guestSends(Operation::response, portsOf(request));
    EXPECT_TRUE(arrived(host).starts_with("OK "));
    return {.host = std::move(host), .ports = portsOf(request)};
  }

  std::filesystem::path folder_;
  MuxerConfig config_;
  std::unique_ptr<EventLoop> loop_ = EventLoop::create().value();
  FakeGuest guest_;
  Counters counters_;
  std::uint32_t guestBuffer_ = 256 * 1024;
  std::uint32_t guestForwarded_ = 0;
  std::unique_ptr<Muxer> muxer_;
};

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
  const auto listener = listenUnix(folder_ / "v.sock_9", Blocking::no).value();
  guestSends(Operation::request, {.hostPort = 9, .guestPort = 77});
  EXPECT_EQ(operationOf(next().header), Operation::reset);
}

// ---- Connections that the guest asks for ----

TEST_F(VsockMuxer, TheGuestReachesWhoListensAtThePortsPath) {
  const auto listener = listenUnix(folder_ / "v.sock_900", Blocking::no).value();
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

// ---- Credit and backpressure ----

TEST_F(VsockMuxer, TheGuestIsNeverSentMoreThanItsCreditAndIsAskedForMoreOnce) {
  guestBuffer_ = 10;
  const Talk talk = opened(52);
  send(talk.host, "0123456789abcdef");
  EXPECT_EQ(next().payload, "0123456789");
  EXPECT_EQ(operationOf(next().header), Operation::creditRequest);
  EXPECT_TRUE(guest_.packets.empty());
  guestForwarded_ = 4;
  guestSends(Operation::creditUpdate, talk.ports);
  EXPECT_EQ(next().payload, "abcd");
  guestForwarded_ = 14;
  EXPECT_EQ(operationOf(next().header), Operation::creditRequest);
  guestSends(Operation::creditUpdate, talk.ports);
  EXPECT_EQ(next().payload, "ef");
}

TEST_F(VsockMuxer, WithoutReceiveBuffersTheBytesStayInTheHostsSocket) {
  const Talk talk = opened(52);
  guest_.buffers = 0;
  send(talk.host, "waits");
  EXPECT_TRUE(guest_.packets.empty());
  guest_.buffers = 1;
  muxer_->pump();
  EXPECT_EQ(next().payload, "waits");
}

TEST_F(VsockMuxer, WhatAHostDoesNotReadIsHeldUpToTheCreditAndThenCostsTheConnection) {
  const Talk talk = opened(52);
  // Fill the host's socket: the kernel takes some, then our buffer takes exactly its size.
  const std::string piece(4096, 'x');
  std::uint64_t sent = 0;
  std::uint32_t told = 0;  // fwd_cnt
  while (muxer_->connections() == 1 && sent < (64U << 20)) {
    guestSends(Operation::data, talk.ports, piece);
    sent += piece.size();
    while (!guest_.packets.empty()) {
      const auto packet = next();
      if (operationOf(packet.header) == Operation::creditUpdate) told = packet.header.forwardedBytes;
      if (operationOf(packet.header) == Operation::reset) EXPECT_EQ(packet.header.sourcePort, talk.ports.hostPort);
    }
  }
  EXPECT_EQ(muxer_->connections(), 0U);
  // Not before the guest had used all the credit that it was told of.
  EXPECT_GT(sent - told, kBufferBytes);
}

TEST_F(VsockMuxer, WhatWaitsForAHostReachesItInOrderAndTheGuestLearnsOfTheRoom) {
  const Talk talk = opened(52);
  std::string all;
  std::string read;
  std::uint32_t told = 0;
  for (int round = 0; round < 400; ++round) {
    const std::string piece(1000, static_cast<char>('a' + round % 26));
    if (all.size() - told + piece.size() <= kBufferBytes) {
      guestSends(Operation::data, talk.ports, piece);
      all += piece;
    } else {
      read += arrived(talk.host);
      settle();
    }
    while (!guest_.packets.empty()) told = next().header.forwardedBytes;
  }
  settle();
  read += arrived(talk.host);
  EXPECT_EQ(muxer_->connections(), 1U);
  EXPECT_GT(all.size(), std::size_t{3} * kBufferBytes);
  EXPECT_TRUE(read == all);
}

TEST_F(VsockMuxer, ALongStreamToTheGuestComesInBufferSizedPiecesAndInOrder) {
  guestBuffer_ = 1U << 20;
  const Talk talk = opened(52);
  std::string all;
  for (int line = 0; line < 10'000; ++line) all += std::to_string(line) + "\n";
  send(talk.host, all);
  std::string got;
  while (!guest_.packets.empty()) {
    const auto packet = next();
    EXPECT_LE(packet.payload.size(), guest_.bufferBytes);
    got += packet.payload;
  }
  EXPECT_TRUE(got == all);
}

TEST_F(VsockMuxer, BuffersThatHoldOnlyAHeaderAreUsedUpAndCarryNoData) {
  const Talk talk = opened(52);
  guest_.bufferBytes = 0;
  guest_.buffers = 3;
  send(talk.host, "data");
  EXPECT_EQ(guest_.buffers, 0U);
  guest_.bufferBytes = 100;
  guest_.buffers = 1;
  muxer_->pump();
  EXPECT_EQ(guest_.packets.back().payload, "data");
}

TEST_F(VsockMuxer, APumpStopsForTheOthersSakeAndGoesOnAtTheNextTurn) {
  guest_.bufferBytes = 1;
  const Talk talk = opened(52);
  EXPECT_EQ(sendSome(talk.host, bytesOf(std::string(1000, 'x'))).value(), 1000U);
  loop_->stop();
  loop_->run();
  EXPECT_LE(guest_.packets.size(), 512U);
  settle();
  EXPECT_EQ(guest_.packets.size(), 1000U);
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
  const auto listener = listenUnix(folder_ / "v.sock_9", Blocking::no).value();
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

// ---- Hostile packets ----

TEST_F(VsockMuxer, PacketsForNoConnectionAreReset) {
  for (const Operation operation :
       {Operation::response, Operation::shutdown, Operation::data, Operation::creditUpdate, Operation::creditRequest}) {
    guestSends(operation, {.hostPort = 5, .guestPort = 6});
    const auto reset = next();
    EXPECT_EQ(operationOf(reset.header), Operation::reset);
    EXPECT_EQ(portsOf(reset), (Ports{.hostPort = 5, .guestPort = 6}));
  }
}

TEST_F(VsockMuxer, AResetIsNeverAnswered) {
  guestSends(Operation::reset, {.hostPort = 5, .guestPort = 6});
  EXPECT_TRUE(guest_.packets.empty());
}

TEST_F(VsockMuxer, PacketsFromOrToOtherAddressesAreDropped) {
  const Header right{.sourceCid = kGuestCid, .destinationCid = kHostCid, .operation = 1};
  for (const auto& [source, destination] : {std::pair<std::uint64_t, std::uint64_t>{2, 2},
                                            {4, 2},
                                            {0, 2},
                                            {3, 0},
                                            {3, 1},
                                            {3, 3},
                                            {3, 0xffff'ffff},
                                            {3, (1ULL << 32) + 2},
                                            {(1ULL << 32) + 3, 2}}) {
    Header wrong = right;
    wrong.sourceCid = source;
    wrong.destinationCid = destination;
    guestSends(wrong);
  }
  EXPECT_EQ(counters_.packetsDropped, 9U);
  EXPECT_TRUE(guest_.packets.empty());
}

TEST_F(VsockMuxer, OperationsWithoutANameAreDroppedAndTheConnectionLives) {
  const Talk talk = opened(52);
  for (const std::uint16_t operation : std::initializer_list<std::uint16_t>{0, 8, 0xffff}) {
    guestSends({.sourceCid = kGuestCid,
                .destinationCid = kHostCid,
                .sourcePort = talk.ports.guestPort,
                .destinationPort = talk.ports.hostPort,
                .operation = operation});
  }
  EXPECT_EQ(counters_.packetsDropped, 3U);
  EXPECT_EQ(muxer_->connections(), 1U);
}

TEST_F(VsockMuxer, OtherTypesAreResetInTheirOwnTypeAndHarmNoStream) {
  const Talk talk = opened(52);
  guestSends({.sourceCid = kGuestCid,
              .destinationCid = kHostCid,
              .sourcePort = talk.ports.guestPort,
              .destinationPort = talk.ports.hostPort,
              .type = 2,  // SEQPACKET
              .operation = std::to_underlying(Operation::data)});
  const auto reset = next();
  EXPECT_EQ(operationOf(reset.header), Operation::reset);
  EXPECT_EQ(reset.header.type, 2U);
  EXPECT_EQ(muxer_->connections(), 1U);
}

TEST_F(VsockMuxer, ALengthThatIsNotThePayloadsEndsTheConnection) {
  for (const std::uint32_t length : {0U, 3U, 5U, 0xffff'ffffU}) {
    const Talk talk = opened(52);
    guestSends({.sourceCid = kGuestCid,
                .destinationCid = kHostCid,
                .sourcePort = talk.ports.guestPort,
                .destinationPort = talk.ports.hostPort,
                .length = length,
                .operation = std::to_underlying(Operation::data)},
               "four");
    EXPECT_EQ(operationOf(next().header), Operation::reset) << length;
    EXPECT_EQ(arrived(talk.host), "<end>");
  }
}

TEST_F(VsockMuxer, ASecondRequestForAConnectionEndsIt) {
  const Talk talk = opened(52);
  guestSends(Operation::request, talk.ports);
  EXPECT_EQ(operationOf(next().header), Operation::reset);
  EXPECT_EQ(arrived(talk.host), "<end>");
}

TEST_F(VsockMuxer, RepliesThatFindNoBufferPileUpToALimitAtWhichNoMorePacketsAreTaken) {
  guest_.buffers = 0;
  std::uint32_t taken = 0;
  while (muxer_->takesPackets()) guestSends(Operation::data, {.hostPort = 1, .guestPort = taken++});
  EXPECT_EQ(taken, 256U);
  guest_.buffers = 1;
  muxer_->pump();
  EXPECT_TRUE(muxer_->takesPackets());
}

TEST_F(VsockMuxer, ConnectionsMadeAndResetWithoutBuffersLeaveNothingBehind) {
  const auto listener = listenUnix(folder_ / "v.sock_9", Blocking::no).value();
  guest_.buffers = 0;
  for (int round = 0; round < 100; ++round) {
    guestSends(Operation::request, {.hostPort = 9, .guestPort = 77});
    (void)acceptUnix(listener, Blocking::no);
    guestSends(Operation::reset, {.hostPort = 9, .guestPort = 77});
  }
  EXPECT_EQ(muxer_->connections(), 0U);
  guest_.buffers = 10;
  muxer_->pump();
  EXPECT_TRUE(guest_.packets.empty());
}

// ---- Snapshots ----

TEST_F(VsockMuxer, ASnapshotKeepsTheAgentsConnectionAndResetsTheOthers) {
  const Talk other = opened(52);
  const Talk agent = opened(kAgentPort);
  guestSends(Operation::data, agent.ports, "pong");
  EXPECT_EQ(arrived(agent.host), "pong");
  const auto listener = listenUnix(folder_ / "v.sock_9", Blocking::no).value();
  guestSends(Operation::request, {.hostPort = 9, .guestPort = 77});

  const virtio::VsockState state = muxer_->save();
  ASSERT_EQ(state.kept.size(), 1U);
  EXPECT_EQ(state.kept[0].hostPort, agent.ports.hostPort);
  EXPECT_EQ(state.kept[0].receivedBytes, 4U);
  EXPECT_EQ(state.toReset, (std::vector<Ports>{{.hostPort = 9, .guestPort = 77}, other.ports}));

  guest_.packets.clear();
  start(state);
  EXPECT_EQ(muxer_->save(), state);
  muxer_->pump();
  EXPECT_EQ(portsOf(next()), (Ports{.hostPort = 9, .guestPort = 77}));
  const auto second = next();
  EXPECT_EQ(operationOf(second.header), Operation::reset);
  EXPECT_EQ(portsOf(second), other.ports);
  EXPECT_TRUE(guest_.packets.empty());
}

TEST_F(VsockMuxer, TheFirstClientAfterARestoreGetsTheKeptConnectionAndTheNextANewOne) {
  const Talk agent = opened(kAgentPort);
  send(agent.host, "ping");
  EXPECT_EQ(next().payload, "ping");
  start(muxer_->save());

  const FileDescriptor first = clientOf(kAgentPort);
  EXPECT_TRUE(guest_.packets.empty());
  EXPECT_EQ(arrived(first), "OK " + std::to_string(agent.ports.hostPort) + "\n");
  send(first, "renew");
  const auto renew = next();
  EXPECT_EQ(renew.payload, "renew");
  EXPECT_EQ(portsOf(renew), agent.ports);
  guestSends(Operation::data, agent.ports, "renewed");
  EXPECT_EQ(arrived(first), "renewed");

  const FileDescriptor second = clientOf(kAgentPort);
  const auto request = next();
  EXPECT_EQ(operationOf(request.header), Operation::request);
  EXPECT_EQ(request.header.sourcePort, agent.ports.hostPort + 1);
}

TEST_F(VsockMuxer, WhatTheGuestSaysBeforeAClientComesWaitsForItWithinCredit) {
  const Talk agent = opened(kAgentPort);
  start(muxer_->save());
  guestSends(Operation::data, agent.ports, "early");
  const FileDescriptor first = clientOf(kAgentPort);
  EXPECT_EQ(arrived(first), "OK " + std::to_string(agent.ports.hostPort) + "\nearly");
}

TEST_F(VsockMuxer, AKeptConnectionThatTheGuestFloodsIsReset) {
  const Talk agent = opened(kAgentPort);
  start(muxer_->save());
  guestSends(Operation::data, agent.ports, std::string(kBufferBytes, 'x'));
  EXPECT_EQ(muxer_->connections(), 1U);
  guestSends(Operation::data, agent.ports, "x");
  EXPECT_EQ(muxer_->connections(), 0U);
  EXPECT_EQ(operationOf(next().header), Operation::reset);
}

TEST_F(VsockMuxer, AKeptConnectionThatTheGuestEndedIsReplacedByANewOne) {
  const Talk agent = opened(kAgentPort);
  start(muxer_->save());
  guestSends(Operation::shutdown, agent.ports, {}, kShutdownSend | kShutdownReceive);
  EXPECT_EQ(operationOf(next().header), Operation::reset);
  const FileDescriptor first = clientOf(kAgentPort);
  EXPECT_EQ(operationOf(next().header), Operation::request);
}

TEST_F(VsockMuxer, AnAgentsConnectionThatIsNotQuietIsResetLikeTheOthers) {
  const Talk agent = opened(kAgentPort);
  guest_.buffers = 0;
  send(agent.host, "half a mess");
  const virtio::VsockState state = muxer_->save();
  EXPECT_TRUE(state.kept.empty());
  EXPECT_EQ(state.toReset, (std::vector<Ports>{agent.ports}));
}

TEST_F(VsockMuxer, AConnectionThatTheGuestMadeFromTheAgentsPortIsNotTheAgents) {
  const auto listener = listenUnix(folder_ / "v.sock_9", Blocking::no).value();
  guestSends(Operation::request, {.hostPort = 9, .guestPort = kAgentPort});
  EXPECT_TRUE(muxer_->save().kept.empty());
}

TEST_F(VsockMuxer, AMachineThatWasSavedGoesOnAsIfItWasNot) {
  const Talk agent = opened(kAgentPort);
  (void)muxer_->save();
  send(agent.host, "ping");
  EXPECT_EQ(next().payload, "ping");
}

TEST_F(VsockMuxer, RepliesThatWaitWhenSavedAreResetsAfterTheRestore) {
  guest_.buffers = 0;
  guestSends(Operation::data, {.hostPort = 8, .guestPort = 9});
  const virtio::VsockState state = muxer_->save();
  EXPECT_EQ(state.toReset, (std::vector<Ports>{{.hostPort = 8, .guestPort = 9}}));
}

TEST_F(VsockMuxer, AStateThatNoDeviceSavesIsRefused) {
  muxer_.reset();
  const auto tryWith = [&](const virtio::VsockState& state) {
    return Muxer::create(*loop_, config_, state, guest_, counters_).error().remedy();
  };
  virtio::VsockState two;
  two.kept = {{}, {}};
  EXPECT_EQ(tryWith(two), Remedy::fixInput);
  virtio::VsockState low;
  low.nextHostPort = 5;
  EXPECT_EQ(tryWith(low), Remedy::fixInput);
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
