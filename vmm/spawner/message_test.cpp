#include "vmm/spawner/message.h"

#include <gtest/gtest.h>

namespace qm::spawner {
namespace {

SpawnMessage example() {
  return {.arguments = {"quickmatch-vmm", "--id", "demo"},
          .jail = {.folder = "/srv/vm-1",
                   .readOnly = {{.host = "/images/kernel", .inside = "/kernel"}},
                   .devices = {JailDevice::kvm, JailDevice::tun},
                   .network = JailNetwork::host,
                   .newFiles = NewFiles::denied,
                   .limits = {.memoryMib = 192, .processes = 64, .cpuPercent = 150}},
          .numbers = {3, 1}};
}

TEST(SpawnerMessage, AnAnswerRepeatsItsRequestsNumber) {
  EXPECT_EQ(numberOf(encode(7, Request(example()))), 7U);
  EXPECT_EQ(numberOf(encode(8, Answer(Spawned{.pid = 1}))), 8U);
  EXPECT_EQ(numberOf({}), 0U);
}

TEST(SpawnerMessage, WhatIsEncodedIsDecodedAlike) {
  EXPECT_EQ(decodeRequest(encode(7, Request(example()))).value(), Request(example()));
  EXPECT_EQ(decodeRequest(encode(7, Request(ReapMessage{.pid = 7}))).value(), Request(ReapMessage{.pid = 7}));
  const OpenSocketMessage open{.slot = 9, .kind = network::SlotSocket::fromGuest};
  for (const Request& request : {Request(MakeSlotMessage{}), Request(open), Request(CloseSlotMessage{.slot = 9})})
    EXPECT_EQ(decodeRequest(encode(7, request)).value(), request);
  for (const Answer& answer : {Answer(SlotMade{.slot = 9}), Answer(SocketOpened{}), Answer(SlotClosed{})})
    EXPECT_EQ(decodeAnswer(encode(7, answer)).value(), answer);
  EXPECT_EQ(decodeAnswer(encode(7, Answer(Spawned{.pid = 7}))).value(), Answer(Spawned{.pid = 7}));
  for (const MemoryShortage shortage : {MemoryShortage::none, MemoryShortage::group, MemoryShortage::outside}) {
    const Ended ended{.how = {.signal = 9}, .shortage = shortage};
    EXPECT_EQ(decodeAnswer(encode(7, Answer(ended))).value(), Answer(ended));
    EXPECT_EQ(decodeAnswer(encode(7, Answer(ShortageIs{shortage}))).value(), Answer(ShortageIs{shortage}));
  }
  EXPECT_EQ(decodeRequest(encode(7, Request(ShortageMessage{.pid = 7}))).value(), Request(ShortageMessage{.pid = 7}));
  const LimitMessage limit{.pid = 7, .limits = {.memoryMib = 1, .processes = 2, .cpuPercent = 3}};
  EXPECT_EQ(decodeRequest(encode(7, Request(limit))).value(), Request(limit));
  EXPECT_EQ(decodeRequest(encode(7, Request(GroupsMessage{}))).value(), Request(GroupsMessage{}));
  EXPECT_EQ(decodeAnswer(encode(7, Answer(Limited{}))).value(), Answer(Limited{}));
  const Groups groups{.controllers = "memory pids", .lacks = "No cpu."};
  EXPECT_EQ(decodeAnswer(encode(7, Answer(groups))).value(), Answer(groups));
  const Answer refused = Error(Remedy::retry, "busy");
  EXPECT_EQ(decodeAnswer(encode(7, refused)).value(), refused);
}

TEST(SpawnerMessage, CutAtAnyByteItIsRefused) {
  const std::vector<std::byte> whole = encode(7, Request(example()));
  for (std::size_t length = 0; length < whole.size(); ++length) {
    const auto cut = decodeRequest(std::span(whole).first(length));
    ASSERT_FALSE(cut.has_value()) << length;
    EXPECT_EQ(cut.error().remedy(), Remedy::fixInput);
  }
}

TEST(SpawnerMessage, WhatFollowsTheEndIsRefused) {
  std::vector<std::byte> longer = encode(7, Request(example()));
  longer.push_back({});
  EXPECT_FALSE(decodeRequest(longer).has_value());
}

TEST(SpawnerMessage, AnotherVersionIsRefusedByName) {
  std::vector<std::byte> other = encode(7, Request(example()));
  other.front() = std::byte{9};
  EXPECT_EQ(decodeRequest(other).error().text(),
            "the spawner's messages have version 5, not 9; use programs of one build");
}

TEST(SpawnerMessage, OneNumberForTwoDescriptorsIsRefused) {
  SpawnMessage twice = example();
  twice.numbers = {3, 3};
  EXPECT_EQ(decodeRequest(encode(7, Request(twice))).error().text(), "two descriptors are given as number 3");
}

TEST(SpawnerMessage, APathThatClimbsDoesNotReachTheJail) {
  SpawnMessage climbing = example();
  climbing.jail.readOnly.front().inside = "/a/../../b";
  EXPECT_FALSE(decodeRequest(encode(7, Request(climbing))).has_value());
}

}  // namespace
}  // namespace qm::spawner
