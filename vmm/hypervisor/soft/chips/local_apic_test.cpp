// The local APIC, SDM 3A chapter 11, one by itself.
#include "vmm/hypervisor/soft/chips/local_apic.h"

#include <cstring>

#include <gtest/gtest.h>

namespace qm::soft {
namespace {

constexpr std::uint32_t kGhz = 1'000'000;  // a TSC tick is a nanosecond
constexpr std::uint8_t kVector = 0x51;
constexpr std::uint32_t kMasked = 1U << 16U;
// Offsets in xAPIC's page; as MSRs 0x800 + offset / 16.
constexpr std::uint32_t kId = 0x20, kVersion = 0x30, kTpr = 0x80, kPpr = 0xa0, kEoi = 0xb0, kLdr = 0xd0, kDfr = 0xe0,
                        kSvr = 0xf0, kIsr = 0x100, kTmr = 0x180, kIrr = 0x200, kEsr = 0x280, kIcr = 0x300,
                        kIcrHigh = 0x310, kLvtTimer = 0x320, kLint0 = 0x350, kLvtError = 0x370, kInitial = 0x380,
                        kCurrent = 0x390, kDivide = 0x3e0, kSelfIpi = 0x3f0;
constexpr std::uint64_t kBase = 0xfee0'0000, kOn = 1U << 11U, kX2 = 1U << 10U, kBsp = 1U << 8U;

std::uint32_t msr(std::uint32_t offset) {
  return 0x800 + offset / 16;
}

LocalApicChip enabled(std::uint32_t id = 1) {
  LocalApicChip apic(id, kGhz);
  apic.writePage(kSvr, 0x1ff, 0);
  return apic;
}
LocalApicChip enabledX2(std::uint32_t id = 1) {
  LocalApicChip apic = enabled(id);
  apic.setBase(kBase | kOn | kX2);
  return apic;
}
InterruptMessage fixed(std::uint8_t vector, Trigger trigger = Trigger::edge) {
  return {.vector = vector, .trigger = trigger};
}
std::uint32_t at(const LocalApic& page, std::uint32_t offset) {
  std::uint32_t value = 0;
  std::memcpy(&value, page.registers.data() + offset, sizeof value);
  return value;
}
void put(LocalApic& page, std::uint32_t offset, std::uint32_t value) {
  std::memcpy(page.registers.data() + offset, &value, sizeof value);
}

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

// --- The interrupt command register

TEST(LocalApic, ACommandIsSentWithItsFields) {
  LocalApicChip apic = enabled();
  apic.writePage(kIcrHigh, 0x0cff'ffff, 0);
  EXPECT_EQ(apic.readPage(kIcrHigh, 0), 0x0c00'0000U);
  const ApicAction action = apic.writePage(kIcr, 0xffff'f9f3, 0);
  EXPECT_EQ(apic.readPage(kIcr, 0), 0x000c'c9f3U);
  EXPECT_EQ(action.send, (InterruptMessage{.mode = DeliveryMode::lowestPriority,
                                           .vector = 0xf3,
                                           .shorthand = Shorthand::allButSelf,
                                           .destinationMode = DestinationMode::logical,
                                           .destination = 0x0c}));
}

TEST(LocalApic, AnX2ApicsCommandHas32BitsOfDestination) {
  LocalApicChip apic = enabledX2();
  const auto action = apic.writeMsr(msr(kIcr), 0x1234'5678'0000'0051, 0);
  ASSERT_TRUE(action.has_value());
  EXPECT_EQ(action->send,
            (InterruptMessage{.vector = 0x51, .width = DestinationWidth::bits32, .destination = 0x1234'5678}));
  EXPECT_EQ(apic.readMsr(msr(kIcr), 0), 0x1234'5678'0000'0051U);
}

TEST(LocalApic, AnX2ApicInterruptsItselfByOneRegister) {
  LocalApicChip apic = enabledX2();
  const auto action = apic.writeMsr(msr(kSelfIpi), 0x51, 0);
  EXPECT_EQ(action->send, (InterruptMessage{.vector = 0x51, .shorthand = Shorthand::self}));
}

TEST(LocalApic, TheDeassertionOfInitSendsNothing) {
  LocalApicChip apic = enabled();
  EXPECT_TRUE(apic.writePage(kIcr, 0x000c'c500, 0).send.has_value());
  EXPECT_FALSE(apic.writePage(kIcr, 0x000c'8500, 0).send.has_value());
}

TEST(LocalApic, InitOvertakesAStartUpAndAStartUpFollowsIt) {
  LocalApicChip apic = enabled();
  apic.accept({.mode = DeliveryMode::startUp, .vector = 8});
  apic.accept({.mode = DeliveryMode::init});
  EXPECT_TRUE(apic.hasInit());
  EXPECT_EQ(apic.sipi(), std::nullopt);
  apic.accept({.mode = DeliveryMode::startUp, .vector = 9});
  apic.takeInit();
  EXPECT_FALSE(apic.hasInit());
  EXPECT_EQ(apic.sipi(), 9);
}

TEST(LocalApic, InitResetsAllButTheIdAndTheMode) {
  LocalApicChip apic = enabledX2(2);
  apic.accept(fixed(kVector));
  apic.acknowledge();
  apic.accept(fixed(0x70));
  apic.raiseNmi();
  apic.writeMsr(msr(kLvtTimer), kVector, 0);
  apic.writeMsr(msr(kInitial), 100, 0);
  apic.takeInit();
  EXPECT_EQ(apic.base(), kBase | kOn | kX2);
  EXPECT_EQ(apic.readMsr(msr(kId), 0), 2U);
  EXPECT_EQ(apic.readMsr(msr(kSvr), 0), 0xffU);
  EXPECT_EQ(apic.processorPriority(), 0);
  EXPECT_EQ(apic.requested(), std::nullopt);
  EXPECT_FALSE(apic.hasNmi());
  EXPECT_EQ(apic.nextExpiry(), std::nullopt);
}

// --- Errors, SDM 3A 11.5.3

TEST(LocalApic, AVectorBelow16IsAnErrorOfWhoSendsIt) {
  LocalApicChip apic = enabled();
  EXPECT_FALSE(apic.writePage(kIcr, 0x0f, 0).send.has_value());
  EXPECT_EQ(apic.readPage(kEsr, 0), 0U);  // until it is written
  apic.writePage(kEsr, 0, 0);
  EXPECT_EQ(apic.readPage(kEsr, 0), 1U << 5U);
  apic.writePage(kEsr, 0, 0);
  EXPECT_EQ(apic.readPage(kEsr, 0), 0U);
}

TEST(LocalApic, AVectorBelow16IsAnErrorOfWhoReceivesIt) {
  LocalApicChip apic = enabled();
  EXPECT_FALSE(apic.accept(fixed(0x0f)));
  EXPECT_EQ(apic.requested(), std::nullopt);
  apic.writePage(kEsr, 0, 0);
  EXPECT_EQ(apic.readPage(kEsr, 0), 1U << 6U);
}

TEST(LocalApic, ANewErrorInterruptsOnceUntilTheRegisterIsWritten) {
  LocalApicChip apic = enabled();
  apic.writePage(kLvtError, kVector, 0);
  apic.readPage(0x40, 0);
  EXPECT_EQ(apic.acknowledge(), kVector);
  apic.writePage(kEoi, 0, 0);
  apic.readPage(0x40, 0);
  EXPECT_EQ(apic.requested(), std::nullopt);
  apic.writePage(kEsr, 0, 0);
  EXPECT_EQ(apic.readPage(kEsr, 0), 1U << 7U);
  apic.readPage(0x40, 0);
  EXPECT_EQ(apic.requested(), kVector);
}

TEST(LocalApic, AnErrorWhoseOwnVectorIsIllegalEndsThere) {
  LocalApicChip apic = enabled();
  apic.writePage(kLvtError, 3, 0);
  apic.readPage(0x40, 0);
  apic.writePage(kEsr, 0, 0);
  EXPECT_EQ(apic.readPage(kEsr, 0), 1U << 7U | 1U << 6U);
}

// --- Accesses

TEST(LocalApic, AReadWithinARegisterGivesItsBytesFromThere) {
  LocalApicChip apic = enabled(3);
  EXPECT_EQ(apic.readPage(kId + 3, 0), 3U);
  EXPECT_EQ(apic.readPage(kVersion + 2, 0), 5U);
  EXPECT_EQ(apic.readPage(kVersion + 4, 0), 0U);
}

TEST(LocalApic, AWriteBesideARegistersStartGoesNowhere) {
  LocalApicChip apic = enabled();
  apic.writePage(kTpr + 1, 0x50, 0);
  EXPECT_EQ(apic.readPage(kTpr, 0), 0U);
  apic.writePage(kLvtTimer + 4, 0x50, 0);
  EXPECT_EQ(apic.readPage(kLvtTimer, 0), kMasked);
}

TEST(LocalApic, ReadOnlyRegistersStay) {
  LocalApicChip apic = enabled(3);
  for (const std::uint32_t offset : {kId, kVersion, kPpr, kIsr, kTmr, kIrr, kCurrent}) {
    const std::uint32_t before = apic.readPage(offset, 0);
    apic.writePage(offset, 0x5a5a'5a5a, 0);
    EXPECT_EQ(apic.readPage(offset, 0), before) << std::hex << offset;
  }
  apic.writePage(kEsr, 0, 0);
  EXPECT_EQ(apic.readPage(kEsr, 0), 0U);
}

TEST(LocalApic, EachLvtEntryKeepsTheBitsThatItHas) {
  LocalApicChip apic = enabled();
  for (std::uint32_t entry = kLvtTimer; entry <= kLvtError; entry += 16) apic.writePage(entry, 0xffff'ffff, 0);
  EXPECT_EQ(apic.readPage(kLvtTimer, 0), 0x0007'00ffU);
  EXPECT_EQ(apic.readPage(0x330, 0), 0x0001'07ffU);
  EXPECT_EQ(apic.readPage(0x340, 0), 0x0001'07ffU);
  EXPECT_EQ(apic.readPage(kLint0, 0), 0x0001'a7ffU);
  EXPECT_EQ(apic.readPage(0x360, 0), 0x0001'a7ffU);
  EXPECT_EQ(apic.readPage(kLvtError, 0), 0x0001'00ffU);
}

TEST(LocalApic, OffsetsBeyondThePageAreErrors) {
  LocalApicChip apic = enabled();
  EXPECT_EQ(apic.readPage(0x400, 0), 0U);
  EXPECT_EQ(apic.readPage(0xffff'fff0, 0), 0U);
  apic.writePage(0xffff'fff0, 1, 0);
  apic.writePage(kEsr, 0, 0);
  EXPECT_EQ(apic.readPage(kEsr, 0), 1U << 7U);
}

TEST(LocalApic, X2ApicsRegistersAreFaultsInXApicMode) {
  LocalApicChip apic = enabled();
  EXPECT_EQ(apic.readMsr(msr(kId), 0), std::nullopt);
  EXPECT_FALSE(apic.writeMsr(msr(kEoi), 0, 0).has_value());
}

TEST(LocalApic, ThePageIsNotThereInX2ApicMode) {
  LocalApicChip apic = enabledX2();
  EXPECT_EQ(apic.readPage(kId, 0), 0xffff'ffffU);
  apic.writePage(kTpr, 0x50, 0);
  EXPECT_EQ(apic.taskPriority(), 0);
}

TEST(LocalApic, OneWayAndMissingMsrsAreFaults) {
  LocalApicChip apic = enabledX2();
  for (const std::uint32_t offset : {kEoi, kSelfIpi, kDfr, kIcrHigh, 0x90U, 0xc0U, 0x40U, 0x2f0U}) {
    EXPECT_EQ(apic.readMsr(msr(offset), 0), std::nullopt) << std::hex << offset;
  }
  for (const std::uint32_t offset : {kId, kVersion, kPpr, kLdr, kIsr, kTmr, kIrr, kCurrent, kDfr, kIcrHigh, 0x40U}) {
    EXPECT_FALSE(apic.writeMsr(msr(offset), 0, 0).has_value()) << std::hex << offset;
  }
  for (const std::uint32_t number : {0x7ffU, 0x840U, 0x8ffU, 0xffff'ffffU}) {
    EXPECT_EQ(apic.readMsr(number, 0), std::nullopt);
    EXPECT_FALSE(apic.writeMsr(number, 0, 0).has_value());
  }
}

TEST(LocalApic, ReservedBitsOfMsrsAreFaults) {
  struct Row {
    std::uint32_t offset;
    std::uint64_t good, bad;
  };
  LocalApicChip apic = enabledX2();
  for (const Row& row : {Row{kTpr, 0xff, 0x100}, Row{kEoi, 0, 1}, Row{kSvr, 0x1ff, 0x1000}, Row{kEsr, 0, 1},
                         Row{kIcr, 0x51, 0x1'0051}, Row{kLvtTimer, 0x4'0051, 0x8'0051}, Row{kSelfIpi, 0x51, 0x151},
                         Row{kDivide, 0xb, 0x4}, Row{kInitial, 0xffff'ffff, 0x1'0000'0000}}) {
    EXPECT_TRUE(apic.writeMsr(msr(row.offset), row.good, 0).has_value()) << std::hex << row.offset;
    EXPECT_FALSE(apic.writeMsr(msr(row.offset), row.bad, 0).has_value()) << std::hex << row.offset;
  }
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

// --- Snapshots

TEST(LocalApic, SaveLoadSaveGivesTheSame) {
  LocalApicChip apic = enabled(3);
  apic.writePage(kTpr, 0x20, 0);
  apic.writePage(kLdr, 0x0800'0000, 0);
  apic.writePage(kIcrHigh, 0x0100'0000, 0);
  apic.writePage(kIcr, 0x4051, 0);
  apic.writePage(kDivide, 0xb, 0);
  apic.writePage(kLvtTimer, kVector, 0);
  apic.writePage(kInitial, 1000, 0);
  apic.accept(fixed(0x60, Trigger::level));
  apic.acknowledge();
  apic.accept(fixed(0x31));
  const LocalApic first = apic.save(400);
  EXPECT_EQ(at(first, kId), 3U << 24U);
  EXPECT_EQ(at(first, kPpr), 0x60U);
  EXPECT_EQ(at(first, kCurrent), 600U);
  LocalApicChip copy(3, kGhz);
  copy.load(first, 70'000);
  EXPECT_EQ(copy.save(70'000), first);
  EXPECT_EQ(copy.nextExpiry(), 70'600U);
  copy.advance(70'600);
  EXPECT_EQ(copy.writePage(kEoi, 0, 70'600).endOfLevel, 0x60);
  EXPECT_EQ(copy.acknowledge(), kVector);
}

TEST(LocalApic, InX2ApicModeThePageHasTheIdWhereXApicHasIt) {
  LocalApicChip apic = enabledX2(0x25);
  apic.writeMsr(msr(kIcr), 0x1234'5678'0000'0051, 0);
  const LocalApic page = apic.save(0);
  EXPECT_EQ(at(page, kId), 0x2500'0000U);
  EXPECT_EQ(at(page, kLdr), 0x0002'0020U);
  EXPECT_EQ(at(page, kIcr), 0x51U);
  EXPECT_EQ(at(page, kIcrHigh), 0x1234'5678U);
  LocalApicChip copy(0x25, kGhz);
  ASSERT_TRUE(copy.loadBase(apic.base()));
  copy.load(page, 0);
  EXPECT_EQ(copy.save(0), page);
  EXPECT_EQ(copy.readMsr(msr(kIcr), 0), 0x1234'5678'0000'0051U);
}

TEST(LocalApic, AOneShotThatHasFiredDoesNotFireInTheCopy) {
  LocalApicChip apic = enabled();
  apic.writePage(kDivide, 0xb, 0);
  apic.writePage(kLvtTimer, kVector, 0);
  apic.writePage(kInitial, 100, 0);
  apic.advance(500);
  apic.acknowledge();
  apic.writePage(kEoi, 0, 500);
  LocalApicChip copy(1, kGhz);
  copy.load(apic.save(500), 500);
  copy.advance(1'000'000);
  EXPECT_EQ(copy.requested(), std::nullopt);
}

TEST(LocalApic, AOneShotWithLessThanATickLeftFiresInTheCopy) {
  LocalApicChip apic = enabled();
  apic.writePage(kDivide, 0xa, 0);  // by 128
  apic.writePage(kLvtTimer, kVector, 0);
  apic.writePage(kInitial, 1, 0);
  LocalApicChip copy(1, kGhz);
  copy.load(apic.save(127), 127);
  copy.advance(127 + 128);
  EXPECT_EQ(copy.requested(), kVector);
}

TEST(LocalApic, WhatNoApicCanHaveIsNotLoaded) {
  LocalApic hostile;
  hostile.registers.fill(std::byte{0xff});
  LocalApicChip apic(3, kGhz);
  apic.load(hostile, 0);
  const LocalApic sane = apic.save(0);
  EXPECT_EQ(at(sane, kId), 3U << 24U);
  EXPECT_EQ(at(sane, kVersion), 0x0005'0014U);
  EXPECT_EQ(at(sane, kIrr), 0xffff'0000U);
  EXPECT_EQ(at(sane, kIcr), 0x000c'cfffU);
  EXPECT_EQ(at(sane, kDivide), 0xbU);
  LocalApicChip copy(3, kGhz);
  copy.load(sane, 0);
  EXPECT_EQ(copy.save(0), sane);
}

TEST(LocalApic, WhatKvmSavesOfABootProcessorIsLoaded) {
  // Disabled by software, but with LINT0 open to the PIC.
  LocalApic page;
  put(page, kSvr, 0xff);
  put(page, kDfr, 0xffff'ffff);
  for (std::uint32_t entry = kLvtTimer; entry <= kLvtError; entry += 16) put(page, entry, kMasked);
  put(page, kLint0, 0x700);
  LocalApicChip apic(0, kGhz);
  apic.load(page, 0);
  EXPECT_TRUE(apic.admitsPic());
}

}  // namespace
}  // namespace qm::soft
