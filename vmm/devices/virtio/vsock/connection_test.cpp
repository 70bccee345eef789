#include "vmm/devices/virtio/vsock/connection.h"

#include <utility>

#include <gtest/gtest.h>

#include "vmm/devices/virtio/vsock/connect_line.h"
#include "vmm/devices/virtio/vsock/host_buffer.h"

namespace qm::vsock {
namespace {

constexpr std::uint64_t kGuestCid = 3;
constexpr Ports kPorts{.hostPort = 1000, .guestPort = 52};

// What a guest sends when its buffer is `bufferBytes` and it read `forwardedBytes` of what we sent.
Header guestPacket(std::uint32_t bufferBytes, std::uint32_t forwardedBytes, std::uint32_t length = 0) {
  return {.length = length, .bufferBytes = bufferBytes, .forwardedBytes = forwardedBytes};
}

Connection openedByGuest(std::uint32_t bufferBytes) {
  Connection connection = Connection::requestedByGuest(kPorts, guestPacket(bufferBytes, 0));
  EXPECT_EQ(operationOf(connection.takeOwed(kGuestCid).value()), Operation::response);
  return connection;
}

TEST(VsockConnection, OneAskedForByTheHostSendsARequestAndOpensWithTheResponse) {
  Connection connection = Connection::requestedByHost(kPorts);
  const Header request = connection.takeOwed(kGuestCid).value();
  EXPECT_EQ(operationOf(request), Operation::request);
  EXPECT_EQ(request.sourceCid, kHostCid);
  EXPECT_EQ(request.destinationCid, kGuestCid);
  EXPECT_EQ(request.sourcePort, kPorts.hostPort);
  EXPECT_EQ(request.destinationPort, kPorts.guestPort);
  EXPECT_EQ(request.bufferBytes, kBufferBytes);
  EXPECT_FALSE(connection.isOpen());
  EXPECT_EQ(connection.receive(Operation::response, guestPacket(4096, 0)), Verdict::keep);
  EXPECT_TRUE(connection.isOpen());
  EXPECT_EQ(connection.credit(), 4096U);
  EXPECT_FALSE(connection.takeOwed(kGuestCid).has_value());
}

TEST(VsockConnection, AResponseToARequestThatWasNotSentYetIsAReset) {
  Connection connection = Connection::requestedByHost(kPorts);
  EXPECT_EQ(connection.receive(Operation::response, guestPacket(4096, 0)), Verdict::reset);
}

TEST(VsockConnection, DataBeforeTheResponseIsAReset) {
  Connection connection = Connection::requestedByHost(kPorts);
  EXPECT_TRUE(connection.takeOwed(kGuestCid).has_value());
  EXPECT_EQ(connection.receive(Operation::data, guestPacket(4096, 0, 1)), Verdict::reset);
}

TEST(VsockConnection, ASecondRequestOrResponseIsAReset) {
  EXPECT_EQ(openedByGuest(4096).receive(Operation::request, guestPacket(4096, 0)), Verdict::reset);
  EXPECT_EQ(openedByGuest(4096).receive(Operation::response, guestPacket(4096, 0)), Verdict::reset);
}

TEST(VsockConnection, CreditToTheGuestShrinksBySendingAndGrowsByItsForwardedCount) {
  Connection connection = openedByGuest(4096);
  EXPECT_EQ(connection.dataPacket(kGuestCid, 4000).length, 4000U);
  EXPECT_EQ(connection.credit(), 96U);
  EXPECT_EQ(connection.receive(Operation::creditUpdate, guestPacket(4096, 1000)), Verdict::keep);
  EXPECT_EQ(connection.credit(), 1096U);
}

TEST(VsockConnection, AGuestThatForwardedMoreThanItGotHasNoCredit) {
  Connection connection = openedByGuest(4096);
  EXPECT_EQ(connection.receive(Operation::creditUpdate, guestPacket(4096, 1)), Verdict::keep);
  EXPECT_EQ(connection.credit(), 0U);
}

TEST(VsockConnection, AGuestThatShrinksItsBufferBelowWhatIsOnItsWayHasNoCredit) {
  Connection connection = openedByGuest(4096);
  EXPECT_EQ(connection.dataPacket(kGuestCid, 4096).length, 4096U);
  EXPECT_EQ(connection.receive(Operation::creditUpdate, guestPacket(100, 0)), Verdict::keep);
  EXPECT_EQ(connection.credit(), 0U);
}

TEST(VsockConnection, CountsRunOverTheEndOf32Bits) {
  const std::uint32_t nearEnd = 0xffff'ff00;
  Connection connection = Connection::restored({.hostPort = 1,
                                                .guestPort = 2,
                                                .receivedBytes = nearEnd,
                                                .announcedBytes = nearEnd,
                                                .sentBytes = nearEnd,
                                                .peerBufferBytes = 4096,
                                                .peerForwardedBytes = nearEnd});
  EXPECT_EQ(connection.dataPacket(kGuestCid, 4096).forwardedBytes, nearEnd);
  EXPECT_EQ(connection.receive(Operation::data, guestPacket(4096, nearEnd + 4096, 1000)), Verdict::keep);
  EXPECT_EQ(connection.credit(), 4096U);
  connection.forward(1000);
  EXPECT_EQ(connection.save().receivedBytes, nearEnd + 1000);
}

TEST(VsockConnection, TheGuestMaySendAsMuchAsTheBufferHoldsAndNotAByteMore) {
  Connection connection = openedByGuest(4096);
  EXPECT_EQ(connection.receive(Operation::data, guestPacket(4096, 0, kBufferBytes)), Verdict::keep);
  EXPECT_EQ(connection.receive(Operation::data, guestPacket(4096, 0, 1)), Verdict::reset);
}

TEST(VsockConnection, FreedRoomIsToldAtHalfTheBufferUnlessAnotherPacketTellsIt) {
  Connection connection = openedByGuest(4096);
  EXPECT_EQ(connection.receive(Operation::data, guestPacket(4096, 0, kBufferBytes)), Verdict::keep);
  connection.forward(kBufferBytes / 2 - 1);
  EXPECT_FALSE(connection.owes());
  connection.forward(1);
  EXPECT_TRUE(connection.owes());
  EXPECT_EQ(connection.dataPacket(kGuestCid, 1).forwardedBytes, kBufferBytes / 2);
  EXPECT_FALSE(connection.owes());
}

TEST(VsockConnection, ACreditRequestIsAnswered) {
  Connection connection = openedByGuest(4096);
  EXPECT_EQ(connection.receive(Operation::creditRequest, guestPacket(4096, 0)), Verdict::keep);
  EXPECT_EQ(operationOf(connection.takeOwed(kGuestCid).value()), Operation::creditUpdate);
}

TEST(VsockConnection, CreditIsAskedForOnceUntilTheGuestGivesSome) {
  Connection connection = openedByGuest(0);
  connection.starve();
  EXPECT_EQ(operationOf(connection.takeOwed(kGuestCid).value()), Operation::creditRequest);
  connection.starve();
  EXPECT_FALSE(connection.owes());
  EXPECT_EQ(connection.receive(Operation::creditUpdate, guestPacket(1, 0)), Verdict::keep);
  EXPECT_EQ(connection.dataPacket(kGuestCid, 1).length, 1U);
  connection.starve();
  EXPECT_TRUE(connection.owes());
}

TEST(VsockConnection, DataAfterTheGuestGaveUpSendingIsAReset) {
  Connection connection = openedByGuest(4096);
  Header shutdown = guestPacket(4096, 0);
  shutdown.flags = kShutdownSend;
  EXPECT_EQ(connection.receive(Operation::shutdown, shutdown), Verdict::keep);
  EXPECT_FALSE(connection.guestSends());
  EXPECT_FALSE(connection.guestIsDone());
  EXPECT_EQ(connection.credit(), 4096U);
  EXPECT_EQ(connection.receive(Operation::data, guestPacket(4096, 0, 1)), Verdict::reset);
}

TEST(VsockConnection, ShutdownsAddUpAndUnknownFlagsMeanNothing) {
  Connection connection = openedByGuest(4096);
  Header shutdown = guestPacket(4096, 0);
  shutdown.flags = 0xffff'fffc;
  EXPECT_EQ(connection.receive(Operation::shutdown, shutdown), Verdict::keep);
  EXPECT_TRUE(connection.isQuiet());
  shutdown.flags = kShutdownReceive;
  EXPECT_EQ(connection.receive(Operation::shutdown, shutdown), Verdict::keep);
  EXPECT_EQ(connection.credit(), 0U);
  shutdown.flags = kShutdownSend;
  EXPECT_EQ(connection.receive(Operation::shutdown, shutdown), Verdict::keep);
  EXPECT_TRUE(connection.guestIsDone());
}

TEST(VsockConnection, TheHostsEndIsToldByTheDirectionsItGaveUp) {
  Connection connection = openedByGuest(4096);
  connection.endHostSending();
  EXPECT_EQ(connection.takeOwed(kGuestCid).value().flags, kShutdownSend);
  connection.endHost();
  EXPECT_EQ(connection.takeOwed(kGuestCid).value().flags, kShutdownSend | kShutdownReceive);
  connection.endHost();
  EXPECT_FALSE(connection.owes());
}

TEST(VsockConnection, OnlyAQuietOneIsAllInItsSavedState) {
  Connection connection = openedByGuest(4096);
  EXPECT_TRUE(connection.isQuiet());
  EXPECT_EQ(connection.receive(Operation::data, guestPacket(4096, 0, 5)), Verdict::keep);
  EXPECT_FALSE(connection.isQuiet());
  connection.forward(5);
  EXPECT_TRUE(connection.isQuiet());
  EXPECT_EQ(Connection::restored(connection.save()).save(), connection.save());
}

TEST(ConnectLine, TakesAPortInDecimalAndNothingElse) {
  EXPECT_EQ(parseConnectLine("CONNECT 5200"), 5200U);
  EXPECT_EQ(parseConnectLine("CONNECT 4294967295"), 4294967295U);
  for (const char* line : {"", "CONNECT", "CONNECT ", "CONNECT x", "CONNECT 1 ", "CONNECT  1", "CONNECT 1\r",
                           "CONNECT -1", "CONNECT 4294967296", "CONNECT 0x10", "connect 1", "GET / HTTP/1.1"}) {
    EXPECT_FALSE(parseConnectLine(line).has_value()) << line;
  }
  EXPECT_EQ(connectedLine(1073741824), "OK 1073741824\n");
}

TEST(HostBuffer, GivesBackInOrderWhatWasAppended) {
  const auto bytes = [](std::string_view text) { return std::as_bytes(std::span(text)); };
  const auto text = [](std::span<const std::byte> some) {
    std::string all;
    for (const std::byte byte : some) all.push_back(static_cast<char>(byte));
    return all;
  };
  HostBuffer buffer;
  buffer.append(bytes("abcd"));
  buffer.consume(3);
  buffer.append(bytes("ef"));
  EXPECT_EQ(text(buffer.front()), "def");
  buffer.consume(3);
  EXPECT_TRUE(buffer.empty());
}

}  // namespace
}  // namespace qm::vsock
