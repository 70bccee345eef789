#include "vmm/devices/virtio/vsock/muxer_fixture.h"

namespace qm::vsock {
namespace {

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
  const auto listener = listenUnix(folder_.path() / "v.sock_9", Blocking::no).value();
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

TEST_F(VsockMuxer, ClientsOfAGuestThatGivesNoBufferLeaveNothingBehind) {
  config_.answerTime = std::chrono::milliseconds(0);
  start({});
  guest_.buffers = 0;
  for (int round = 0; round < 100; ++round) {
    const FileDescriptor host = clientOf(52);
    while (muxer_->connections() > 0) settle();
    EXPECT_EQ(arrived(host), "<end>");
  }
  EXPECT_TRUE(muxer_->save().toReset.empty()) << "it never heard of them";
}

}  // namespace
}  // namespace qm::vsock
