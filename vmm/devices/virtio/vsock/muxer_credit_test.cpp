#include "vmm/devices/virtio/vsock/muxer_fixture.h"

namespace qm::vsock {
namespace {

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

}  // namespace
}  // namespace qm::vsock
