// The local APIC's registers as a guest reads and writes them: SDM 3A 11.4 to 11.6 and 11.12.
#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/chips/local_apic_test.h"

namespace qm::soft {
namespace {

using namespace apic_test;

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

}  // namespace
}  // namespace qm::soft
