// The 8254 as loops that measure time with it use it.
#include "vmm/hypervisor/soft/chips/pit.h"

#include <gtest/gtest.h>

namespace qm::soft {
namespace {

constexpr std::uint16_t kCounter0 = 0x40, kCounter2 = 0x42, kControl = 0x43, kSpeaker = 0x61;
constexpr std::uint64_t kMs = 1'000'000;
constexpr std::uint32_t kTicksOf10Ms = 11'931;  // of 1,193,182 Hz

std::uint16_t readBoth(PitChip& pit, std::uint16_t port, std::uint64_t ns) {
  const unsigned low = pit.read(port, ns);
  return static_cast<std::uint16_t>(low | unsigned{pit.read(port, ns)} << 8U);
}
void writeBoth(PitChip& pit, std::uint16_t port, std::uint32_t count, std::uint64_t ns) {
  pit.write(port, static_cast<std::uint8_t>(count), ns);
  pit.write(port, static_cast<std::uint8_t>(count >> 8U), ns);
}

TEST(Pit, OutOfCounterTwoRisesWhenItsCountHasPassed) {
  PitChip pit;
  pit.write(kSpeaker, 0x01, 0);  // the gate open, the speaker off
  pit.write(kControl, 0xb0, 0);  // counter 2, both halves, mode 0
  writeBoth(pit, kCounter2, kTicksOf10Ms, 5 * kMs);
  EXPECT_EQ(pit.read(kSpeaker, 14 * kMs) & 0x21U, 0x01U);
  EXPECT_EQ(pit.read(kSpeaker, 15 * kMs) & 0x21U, 0x21U);
}

TEST(Pit, TheGateStartsAOneShotOver) {
  PitChip pit;
  pit.write(kControl, 0xb2, 0);  // counter 2, both halves, mode 1
  writeBoth(pit, kCounter2, kTicksOf10Ms, 0);
  pit.write(kSpeaker, 0x01, 20 * kMs);
  EXPECT_EQ(pit.read(kSpeaker, 29 * kMs) & 0x20U, 0U);
  EXPECT_EQ(pit.read(kSpeaker, 30 * kMs) & 0x20U, 0x20U);
}

TEST(Pit, ARateGeneratorCountsDownAndStartsOver) {
  PitChip pit;
  pit.write(kControl, 0x34, 0);  // counter 0, both halves, mode 2
  writeBoth(pit, kCounter0, 1000, 0);
  EXPECT_EQ(readBoth(pit, kCounter0, 0), 1000);
  EXPECT_EQ(readBoth(pit, kCounter0, 419'050), 500);  // 500 ticks
  EXPECT_EQ(readBoth(pit, kCounter0, 1'257'150), 500);
}

TEST(Pit, ASquareWaveCountsByTwo) {
  PitChip pit;
  pit.write(kControl, 0x36, 0);
  writeBoth(pit, kCounter0, 1000, 0);
  EXPECT_EQ(readBoth(pit, kCounter0, 419'050 / 2), 500);
}

TEST(Pit, ALatchedCountStandsUntilItWasRead) {
  PitChip pit;
  pit.write(kControl, 0x34, 0);
  writeBoth(pit, kCounter0, 0, 0);  // 65536
  pit.write(kControl, 0x00, kMs);
  const std::uint16_t latched = readBoth(pit, kCounter0, 9 * kMs);
  EXPECT_EQ(latched, 65536 - 1193);
  EXPECT_EQ(readBoth(pit, kCounter0, 10 * kMs), 65536 - 11931);
}

TEST(Pit, ReadBackTellsTheStatusFirst) {
  PitChip pit;
  pit.write(kControl, 0x34, 0);
  writeBoth(pit, kCounter0, 1000, 0);
  pit.write(kControl, 0xc2, 0);  // count and status of counter 0
  EXPECT_EQ(pit.read(kCounter0, 0), 0xb4U);
  EXPECT_EQ(readBoth(pit, kCounter0, 500'000), 1000);
}

TEST(Pit, OneHalfAloneIsTheWholeCount) {
  PitChip pit;
  pit.write(kControl, 0x24, 0);  // the high half, mode 2
  pit.write(kCounter0, 0x10, 0);
  EXPECT_EQ(pit.read(kCounter0, 0), 0x10U);
  pit.write(kControl, 0x14, 0);  // the low half
  pit.write(kCounter0, 0x20, 0);
  EXPECT_EQ(pit.read(kCounter0, 0), 0x20U);
}

TEST(Pit, TheControlPortIsNotRead) {
  PitChip pit;
  EXPECT_EQ(pit.read(kControl, 0), 0xffU);
}

TEST(Pit, PortSixtyOneTogglesWithTime) {
  PitChip pit;
  EXPECT_NE(pit.read(kSpeaker, 0) & 0x10U, pit.read(kSpeaker, 1U << 14U) & 0x10U);
}

TEST(Pit, SaveLoadSaveGivesTheSameButForItsStart) {
  PitChip pit;
  pit.write(kSpeaker, 0x03, 0);
  pit.write(kControl, 0xb0, 0);
  writeBoth(pit, kCounter2, 1234, 77);
  const Pit first = pit.save();
  PitChip copy;
  copy.load(first, 77);
  const Pit second = copy.save();
  EXPECT_EQ(second.channels[2], first.channels[2]);
  EXPECT_EQ(second.flags, 2U);
  EXPECT_EQ(second.channels[0].count, 0x1'0000U);
}

TEST(Pit, WhatNoChipCanHaveIsNotLoaded) {
  Pit hostile;
  for (PitChannel& channel : hostile.channels) {
    channel = {.count = 0xffff'ffff,
               .countLatched = 0xff,
               .readState = 0xff,
               .writeState = 0xff,
               .rwMode = 0xff,
               .mode = 0xff,
               .bcd = 0xff,
               .gate = 0xff,
               .countLoadTimeNs = -1};
  }
  PitChip pit;
  pit.load(hostile, 0);
  const Pit sane = pit.save();
  EXPECT_EQ(sane.channels[0].count, 0x1'0000U);
  PitChip copy;
  copy.load(sane, 0);
  EXPECT_EQ(copy.save(), sane);
  copy.load({}, 0);  // a count of 0 would be divided by
  EXPECT_EQ(copy.save().channels[0].count, 1U);
}

}  // namespace
}  // namespace qm::soft
