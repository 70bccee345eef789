// The local APIC, SDM 3A chapter 11, one by itself: requests, priorities, destinations, modes, the timer's entry.
#include "vmm/hypervisor/soft/chips/local_apic_test.h"

#include <gtest/gtest.h>

namespace qm::soft {
namespace {

using namespace apic_test;

// --- After power-up

TEST(LocalApic, IsOnButDisabledAfterAReset) {
  LocalApicChip apic(3, kGhz);
  EXPECT_EQ(apic.base(), kBase | kOn);
  EXPECT_EQ(apic.readPage(kId, 0), 3U << 24U);
  EXPECT_EQ(apic.readPage(kVersion, 0), 0x0005'0014U);
  EXPECT_EQ(apic.readPage(kSvr, 0), 0xffU);
  EXPECT_EQ(apic.readPage(kDfr, 0), 0xffff'ffffU);
  for (std::uint32_t entry = kLvtTimer; entry <= kLvtError; entry += 16) EXPECT_EQ(apic.readPage(entry, 0), kMasked);
  EXPECT_FALSE(apic.accept(fixed(kVector)));
}

TEST(LocalApic, OnlyTheBootProcessorsLetsThePicInAfterAReset) {
  EXPECT_TRUE(LocalApicChip(0, kGhz).admitsPic());
  EXPECT_EQ(LocalApicChip(0, kGhz).base(), kBase | kOn | kBsp);
  EXPECT_FALSE(LocalApicChip(1, kGhz).admitsPic());
}

// --- Requests and priorities

TEST(LocalApic, AVectorGoesFromRequestToServiceToItsEnd) {
  LocalApicChip apic = enabled();
  EXPECT_TRUE(apic.accept(fixed(kVector)));
  EXPECT_EQ(apic.readPage(kIrr + 0x20, 0), 1U << (kVector - 64U));
  EXPECT_EQ(apic.requested(), kVector);
  EXPECT_EQ(apic.acknowledge(), kVector);
  EXPECT_EQ(apic.readPage(kIrr + 0x20, 0), 0U);
  EXPECT_EQ(apic.readPage(kIsr + 0x20, 0), 1U << (kVector - 64U));
  EXPECT_EQ(apic.readPage(kPpr, 0), 0x50U);
  EXPECT_EQ(apic.writePage(kEoi, 0, 0).endOfLevel, std::nullopt);
  EXPECT_EQ(apic.readPage(kIsr + 0x20, 0), 0U);
}

TEST(LocalApic, TheEndOfALevelIsTold) {
  LocalApicChip apic = enabled();
  apic.accept(fixed(kVector, Trigger::level));
  EXPECT_EQ(apic.readPage(kTmr + 0x20, 0), 1U << (kVector - 64U));
  apic.acknowledge();
  EXPECT_EQ(apic.writePage(kEoi, 0, 0).endOfLevel, kVector);
  EXPECT_EQ(apic.writePage(kEoi, 0, 0).endOfLevel, std::nullopt);  // nothing is in service
}

TEST(LocalApic, AnEdgeOfTheSameVectorMakesItAnEdges) {
  LocalApicChip apic = enabled();
  apic.accept(fixed(kVector, Trigger::level));
  apic.accept(fixed(kVector));
  EXPECT_EQ(apic.readPage(kTmr + 0x20, 0), 0U);
}

TEST(LocalApic, OnlyAHigherClassInterruptsAService) {
  LocalApicChip apic = enabled();
  apic.accept(fixed(0x51));
  apic.acknowledge();
  apic.accept(fixed(0x5f));
  EXPECT_EQ(apic.requested(), std::nullopt);
  apic.accept(fixed(0x60));
  EXPECT_EQ(apic.acknowledge(), 0x60);
  apic.writePage(kEoi, 0, 0);
  apic.writePage(kEoi, 0, 0);
  EXPECT_EQ(apic.requested(), 0x5f);
}

TEST(LocalApic, TheTaskPriorityHoldsBackItsClassAndBelow) {
  LocalApicChip apic = enabled();
  apic.writePage(kTpr, 0x5f, 0);
  apic.accept(fixed(0x50));
  EXPECT_EQ(apic.requested(), std::nullopt);
  EXPECT_EQ(apic.readPage(kPpr, 0), 0x5fU);
  apic.writePage(kTpr, 0x4f, 0);
  EXPECT_EQ(apic.requested(), 0x50);
}

TEST(LocalApic, VectorsOfEveryRegisterAreFound) {
  LocalApicChip apic = enabled();
  for (unsigned vector = 16; vector < 256; ++vector) {
    apic.accept(fixed(static_cast<std::uint8_t>(vector)));
    EXPECT_EQ(apic.readPage(kIrr + vector / 32 * 16, 0) >> (vector % 32) & 1U, 1U);
  }
  for (unsigned vector = 255; vector >= 16; --vector) {
    EXPECT_EQ(apic.acknowledge(), vector);
    apic.writePage(kEoi, 0, 0);
  }
  EXPECT_EQ(apic.requested(), std::nullopt);
}

TEST(LocalApic, RequestsAreHeldWhileItIsDisabledAgain) {
  LocalApicChip apic = enabled();
  apic.accept(fixed(kVector));
  apic.writePage(kSvr, 0xff, 0);
  EXPECT_EQ(apic.requested(), kVector);
  EXPECT_FALSE(apic.accept(fixed(0x70)));
  EXPECT_TRUE(apic.accept({.mode = DeliveryMode::nmi}));
  EXPECT_TRUE(apic.hasNmi());
}

TEST(LocalApic, DisablingMasksTheLvtAndKeepsItMasked) {
  LocalApicChip apic = enabled();
  apic.writePage(kLvtTimer, kVector, 0);
  apic.writePage(kSvr, 0xff, 0);
  EXPECT_EQ(apic.readPage(kLvtTimer, 0), kMasked | kVector);
  apic.writePage(kLvtTimer, kVector, 0);
  EXPECT_EQ(apic.readPage(kLvtTimer, 0), kMasked | kVector);
}

// --- Destinations, SDM 3A 11.6.2

TEST(LocalApic, APhysicalDestinationIsTheIdOrEverybody) {
  const LocalApicChip apic = enabled(3);
  EXPECT_TRUE(apic.isAddressedBy({.destination = 3}));
  EXPECT_FALSE(apic.isAddressedBy({.destination = 4}));
  EXPECT_TRUE(apic.isAddressedBy({.destination = 0xff}));
  EXPECT_FALSE(apic.isAddressedBy({.width = DestinationWidth::bits32, .destination = 0xff}));
  EXPECT_TRUE(apic.isAddressedBy({.width = DestinationWidth::bits32, .destination = 0xffff'ffff}));
}

TEST(LocalApic, AFlatLogicalDestinationIsASetOfBits) {
  LocalApicChip apic = enabled();
  apic.writePage(kLdr, 0x04ff'ffff, 0);
  EXPECT_EQ(apic.readPage(kLdr, 0), 0x0400'0000U);
  const auto isFor = [&](std::uint32_t destination) {
    return apic.isAddressedBy({.destinationMode = DestinationMode::logical, .destination = destination});
  };
  EXPECT_TRUE(isFor(0x04));
  EXPECT_TRUE(isFor(0x0c));
  EXPECT_FALSE(isFor(0x0b));
  EXPECT_TRUE(isFor(0xff));
}

TEST(LocalApic, AClusteredLogicalDestinationIsAClusterAndASetOfBits) {
  LocalApicChip apic = enabled();
  apic.writePage(kDfr, 0, 0);
  EXPECT_EQ(apic.readPage(kDfr, 0), 0x0fff'ffffU);
  apic.writePage(kLdr, 0x2400'0000, 0);
  const auto isFor = [&](std::uint32_t destination) {
    return apic.isAddressedBy({.destinationMode = DestinationMode::logical, .destination = destination});
  };
  EXPECT_TRUE(isFor(0x24));
  EXPECT_TRUE(isFor(0x26));
  EXPECT_FALSE(isFor(0x23));
  EXPECT_FALSE(isFor(0x14));
}

TEST(LocalApic, InX2ApicModeTheLogicalIdFollowsFromTheId) {
  LocalApicChip apic = enabledX2(0x25);
  EXPECT_EQ(apic.readMsr(msr(kId), 0), 0x25U);
  EXPECT_EQ(apic.readMsr(msr(kLdr), 0), 0x0002'0020U);
  const auto isFor = [&](std::uint32_t destination) {
    return apic.isAddressedBy(
        {.destinationMode = DestinationMode::logical, .width = DestinationWidth::bits32, .destination = destination});
  };
  EXPECT_TRUE(isFor(0x0002'0021));
  EXPECT_FALSE(isFor(0x0001'0020));
  EXPECT_FALSE(isFor(0x0002'0010));
}

// --- Modes, SDM 3A 11.12.5

TEST(LocalApic, ChangesModeOnlyAsTheManualAllows) {
  struct Row {
    std::uint64_t from, to;
    bool isLegal;
  };
  for (const Row& row : {Row{0, 0, true}, Row{0, kOn, true}, Row{0, kOn | kX2, false}, Row{0, kX2, false},
                         Row{kOn, 0, true}, Row{kOn, kOn | kX2, true}, Row{kOn, kX2, false}, Row{kOn | kX2, kOn, false},
                         Row{kOn | kX2, 0, true}, Row{kOn | kX2, kX2, false}, Row{kOn | kX2, kOn | kX2, true}}) {
    LocalApicChip apic(1, kGhz);
    ASSERT_TRUE(apic.loadBase(kBase | row.from));
    EXPECT_EQ(apic.setBase(kBase | row.to), row.isLegal) << std::hex << row.from << " to " << row.to;
    EXPECT_EQ(apic.base(), kBase | (row.isLegal ? row.to : row.from));
  }
}

TEST(LocalApic, ReservedBitsOfTheBaseAreFaults) {
  LocalApicChip apic(1, kGhz);
  for (const std::uint64_t reserved : {1ULL, 1ULL << 7U, 1ULL << 9U, 1ULL << 52U, 1ULL << 63U}) {
    EXPECT_FALSE(apic.setBase(kBase | kOn | reserved));
    EXPECT_FALSE(apic.loadBase(kBase | kOn | reserved));
  }
  EXPECT_TRUE(apic.setBase(0x000f'ffff'ffff'f000 | kOn));
}

TEST(LocalApic, WhatIsRequestedAndServedGoesOnInX2ApicMode) {
  LocalApicChip apic = enabled();
  apic.accept(fixed(kVector));
  apic.acknowledge();
  apic.accept(fixed(0x70));
  ASSERT_TRUE(apic.setBase(kBase | kOn | kX2));
  EXPECT_EQ(apic.processorPriority(), 0x50);
  EXPECT_EQ(apic.requested(), 0x70);
}

TEST(LocalApic, SwitchingItOffForgetsEverything) {
  LocalApicChip apic = enabled();
  apic.accept(fixed(kVector));
  apic.writePage(kLvtTimer, kVector, 0);
  apic.writePage(kInitial, 100, 0);
  ASSERT_TRUE(apic.setBase(kBase));
  EXPECT_EQ(apic.requested(), std::nullopt);
  EXPECT_EQ(apic.nextExpiry(), std::nullopt);
  EXPECT_EQ(apic.readPage(kId, 0), 0xffff'ffffU);
  EXPECT_FALSE(apic.accept({.mode = DeliveryMode::nmi}));
  EXPECT_TRUE(apic.admitsPic());
  ASSERT_TRUE(apic.setBase(kBase | kOn));
  EXPECT_EQ(apic.readPage(kSvr, 0), 0xffU);
}

// --- The timer's entry

TEST(LocalApic, TheTimerInterruptsThroughItsEntry) {
  LocalApicChip apic = enabled();
  apic.writePage(kDivide, 0xb, 0);
  apic.writePage(kLvtTimer, kVector, 0);
  apic.writePage(kInitial, 100, 1000);
  EXPECT_EQ(apic.nextExpiry(), 1100U);
  apic.advance(1099);
  EXPECT_EQ(apic.requested(), std::nullopt);
  EXPECT_EQ(apic.readPage(kCurrent, 1099), 1U);
  apic.advance(1100);
  EXPECT_EQ(apic.requested(), kVector);
  EXPECT_EQ(apic.readPage(kCurrent, 1100), 0U);
  EXPECT_EQ(apic.readPage(kInitial, 1100), 100U);
}

TEST(LocalApic, AMaskedTimerCountsAndInterruptsNobody) {
  LocalApicChip apic = enabled();
  apic.writePage(kDivide, 0xb, 0);
  apic.writePage(kInitial, 100, 0);
  EXPECT_EQ(apic.readPage(kCurrent, 40), 60U);
  EXPECT_EQ(apic.nextExpiry(), std::nullopt);
  apic.advance(100);
  apic.writePage(kLvtTimer, kVector, 100);
  apic.advance(200);
  EXPECT_EQ(apic.requested(), std::nullopt);
}

}  // namespace
}  // namespace qm::soft
