// The local APIC in a snapshot: KVM's page.
#include <cstring>

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/chips/local_apic_test.h"

namespace qm::soft {
namespace {

using namespace apic_test;

std::uint32_t at(const LocalApic& page, std::uint32_t offset) {
  std::uint32_t value = 0;
  std::memcpy(&value, page.registers.data() + offset, sizeof value);
  return value;
}
void put(LocalApic& page, std::uint32_t offset, std::uint32_t value) {
  std::memcpy(page.registers.data() + offset, &value, sizeof value);
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
