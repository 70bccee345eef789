#include "vmm/devices/virtio/vsock/muxer_fixture.h"

namespace qm::vsock {
namespace {

TEST_F(VsockMuxer, ASnapshotKeepsTheAgentsConnectionAndResetsTheOthers) {
  const Talk other = opened(52);
  const Talk agent = opened(kAgentPort);
  guestSends(Operation::data, agent.ports, "pong");
  EXPECT_EQ(arrived(agent.host), "pong");
  const auto listener = listenUnix(folder_.path() / "v.sock_9", Blocking::no).value();
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
  const auto listener = listenUnix(folder_.path() / "v.sock_9", Blocking::no).value();
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

}  // namespace
}  // namespace qm::vsock
