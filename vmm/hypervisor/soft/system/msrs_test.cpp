#include "vmm/hypervisor/soft/system/msrs.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/system/test_machine.h"

namespace qm::soft {
namespace {

constexpr std::uint32_t kApicBase = 0x1b, kPat = 0x277, kDeadline = 0x6e0, kEfer = 0xc000'0080, kLstar = 0xc000'0082,
                        kFsBase = 0xc000'0100, kKernelGsBase = 0xc000'0102, kTscAux = 0xc000'0103,
                        kSystemTime = 0x4b56'4d01;
constexpr std::uint64_t kNotCanonical = 0x8000'0000'0000;

std::uint64_t valueOf(Cpu& cpu, std::uint32_t index) {
  std::uint64_t value = 0;
  EXPECT_TRUE(readMsr(cpu, index, value)) << std::hex << index;
  return value;
}

struct Row {
  std::uint32_t index;
  std::uint64_t good, bad;
};

// A value that each takes, and one that is #GP.
constexpr std::array kRows{
    Row{0x175, 0xffff'8000'0000'1000, kNotCanonical},          // SYSENTER_ESP
    Row{0x176, 0x7fff'ffff'f000, kNotCanonical},               // SYSENTER_EIP
    Row{0x17a, 5, 8},                                          // MCG_STATUS
    Row{0x200, 0x8000'0006, 0x8000'0002},                      // MTRR_PHYSBASE0: no type 2
    Row{0x201, 0x3fff'8000'0800, 0x4000'8000'0800},            // MTRR_PHYSMASK0: beyond 46 bits
    Row{0x250, 0x0606'0606'0606'0606, 0x0606'0606'0706'0606},  // MTRR_FIX64K_00000
    Row{0x26f, 0x0505'0505'0505'0505, 0x0200'0000'0000'0000},  // MTRR_FIX4K_F8000
    Row{kPat, 0x0007'0406'0007'0106, 0x0002'0406'0007'0106},   //
    Row{0x2ff, 0xc06, 0xc02},                                  // MTRR_DEF_TYPE
    Row{kLstar, 0xffff'8000'0000'1000, 0xfff'8000'0000'1000},  //
    Row{0xc000'0083, 0, kNotCanonical},                        // CSTAR
    Row{0xc000'0084, 0x4'7700, 0x1'0000'0000},                 // FMASK
    Row{kFsBase, 0x7fff'0000'1000, kNotCanonical},             //
    Row{0xc000'0101, 0xffff'8880'0000'0000, kNotCanonical},    // GS_BASE
    Row{kKernelGsBase, 0xffff'8000'0000'0000, kNotCanonical},  //
    Row{kTscAux, 0xffff'ffff, 0x1'0000'0000},                  //
    Row{kEfer, 0xd01, 0x8000'0000},                            // SCE, LME, NXE; a bit that nobody has
    Row{kApicBase, 0xfee0'0900, 0x4000'0000'0900},             // beyond 46 bits
};

TEST(Msrs, KeepWhatTheyTakeAndRefuseTheRest) {
  for (const Row& row : kRows) {
    TestMachine machine;
    Cpu& cpu = machine.cpu();
    EXPECT_TRUE(writeMsr(cpu, row.index, row.good)) << std::hex << row.index;
    if (row.index != kEfer) EXPECT_EQ(valueOf(cpu, row.index), row.good) << std::hex << row.index;
    const std::uint64_t before = valueOf(cpu, row.index);
    EXPECT_FALSE(writeMsr(cpu, row.index, row.bad)) << std::hex << row.index;
    EXPECT_EQ(valueOf(cpu, row.index), before) << std::hex << row.index;
  }
}

TEST(Msrs, WhatLinuxReadsWithoutANetIsThere) {
  TestMachine machine;
  for (const std::uint32_t index : {0x17U, 0x8bU, 0xceU, 0xfeU, 0x140U, 0x179U, 0x17aU, 0x1a0U, 0x1d9U, 0x400U, 0x47fU,
                                    0xc001'0010U, 0xc001'0015U, 0xc001'1029U})
    valueOf(machine.cpu(), index);
}

TEST(Msrs, WhatIsNotModelledIsAGeneralProtectionFault) {
  TestMachine machine;
  std::uint64_t value = 0;
  // SPEC_CTRL, ARCH_CAPABILITIES, a perf counter, VMX, the bank behind the last, steal time, a number of nobody's.
  for (const std::uint32_t index : {0x48U, 0x10aU, 0xc1U, 0x480U, 0x480U, 0x4b56'4d03U, 0xdead'beefU}) {
    EXPECT_FALSE(readMsr(machine.cpu(), index, value)) << std::hex << index;
    EXPECT_FALSE(writeMsr(machine.cpu(), index, 0)) << std::hex << index;
  }
  EXPECT_FALSE(writeMsr(machine.cpu(), 0xfe, 0x508));  // MTRRCAP is read-only
  EXPECT_FALSE(writeMsr(machine.cpu(), 0x179, 0));     // so is MCG_CAP
}

TEST(Msrs, LongModeCannotBeSwitchedWhilePagesAreOn) {
  TestMachine machine;
  Cpu& cpu = machine.cpu();
  cpu.system.cr0 = cr0::kPe | cr0::kPg;
  cpu.system.efer = efer::kLme | efer::kLma;
  EXPECT_FALSE(writeMsr(cpu, kEfer, efer::kSce));
  EXPECT_EQ(cpu.system.efer, efer::kLme | efer::kLma);
  EXPECT_TRUE(writeMsr(cpu, kEfer, efer::kLme | efer::kSce));
  EXPECT_EQ(cpu.system.efer, efer::kLme | efer::kLma | efer::kSce);  // LMA is not the writer's
}

TEST(Msrs, NoExecuteForgetsWhatWasTranslatedWithoutIt) {
  TestMachine machine;
  Cpu& cpu = machine.cpu();
  modeChanged(cpu);
  cpu.tlb->fillRead(0x1000, 0x7000, {.lifetime = Lifetime::global});
  ASSERT_TRUE(writeMsr(cpu, kEfer, efer::kSce));
  EXPECT_EQ(cpu.tlb->read[Tlb::slotOf(0x1000)].page, 0x1000U);
  ASSERT_TRUE(writeMsr(cpu, kEfer, efer::kSce | efer::kNxe));
  EXPECT_EQ(cpu.tlb->read[Tlb::slotOf(0x1000)].page, TlbEntry::kEmpty);
}

TEST(Msrs, SegmentBasesAreThoseThatAddressesAreMadeWith) {
  TestMachine machine;
  Cpu& cpu = machine.cpu();
  ASSERT_TRUE(writeMsr(cpu, kFsBase, 0x1234'5000));
  EXPECT_EQ(cpu.segmentBase[static_cast<std::size_t>(SegmentName::fs)], 0x1234'5000U);
  modeChanged(cpu);
  EXPECT_EQ(cpu.segmentBase[static_cast<std::size_t>(SegmentName::fs)], 0x1234'5000U);
}

TEST(Msrs, TheApicsAreReachedByMsrsInX2Mode) {
  TestMachine machine;
  Cpu& cpu = machine.cpu(1);
  std::uint64_t value = 0;
  EXPECT_FALSE(readMsr(cpu, 0x802, value));
  ASSERT_TRUE(writeMsr(cpu, kApicBase, 0xfee0'0c00));
  EXPECT_EQ(valueOf(cpu, 0x802), 1U);  // the id
  EXPECT_TRUE(writeMsr(cpu, 0x80f, 0x1ff));
  EXPECT_EQ(valueOf(cpu, 0x80f), 0x1ffU);
}

TEST(Msrs, ADeadlineIsReadUntilItsTimeHasCome) {
  TestMachine machine;
  Cpu& cpu = machine.cpu();
  ASSERT_TRUE(writeMsr(cpu, kApicBase, 0xfee0'0d00));
  ASSERT_TRUE(writeMsr(cpu, 0x80f, 0x1ff));
  ASSERT_TRUE(writeMsr(cpu, 0x832, 2U << 17U | 0x40U));  // LVT timer: TSC deadline
  ASSERT_TRUE(writeMsr(cpu, kDeadline, 1'000));
  EXPECT_EQ(valueOf(cpu, kDeadline), 1'000U);
  machine.execute(1'000);
  EXPECT_EQ(valueOf(cpu, kDeadline), 0U);
}

// --- Snapshots

TEST(MsrState, IsAscendingAndKeepsWhatKvmKeeps) {
  TestMachine machine;
  const std::vector<MsrValue> msrs = saveMsrs(machine.cpu());
  EXPECT_TRUE(std::ranges::is_sorted(msrs, std::less<>(), &MsrValue::index));
  std::vector<std::uint32_t> indexes;
  std::ranges::transform(msrs, std::back_inserter(indexes), &MsrValue::index);
  EXPECT_EQ(indexes, (std::vector<std::uint32_t>{0x10, 0x3b, 0x174, 0x175, 0x176, 0x17a, 0x1a0, 0x277, 0x6e0,
                                                 0x4b56'4d00, 0x4b56'4d01, 0xc000'0081, 0xc000'0082, 0xc000'0083,
                                                 0xc000'0084, 0xc000'0102, 0xc000'0103}));
}

TEST(MsrState, MemoryTypesAreKeptWhereTheGuestHasSetThem) {
  TestMachine machine, copy;
  ASSERT_TRUE(writeMsr(machine.cpu(), 0x2ff, 0xc06));
  ASSERT_TRUE(writeMsr(machine.cpu(), 0x201, 0x3fff'8000'0800));
  const std::vector<MsrValue> msrs = saveMsrs(machine.cpu());
  ASSERT_TRUE(loadMsrs(copy.cpu(), msrs));
  EXPECT_EQ(copy.cpu().system.memoryTypes, machine.cpu().system.memoryTypes);
}

TEST(MsrState, ASecondMachineHasThemAll) {
  TestMachine machine, copy;
  machine.execute(12'345);
  for (const Row& row : kRows) ASSERT_TRUE(writeMsr(machine.cpu(), row.index, row.good));
  ASSERT_TRUE(writeMsr(machine.cpu(), kSystemTime, 0x5001));
  const std::vector<MsrValue> msrs = saveMsrs(machine.cpu());
  ASSERT_TRUE(loadTsc(copy.cpu(), msrs));
  ASSERT_TRUE(loadMsrs(copy.cpu(), msrs));
  EXPECT_EQ(saveMsrs(copy.cpu()), msrs);
}

TEST(MsrState, TheClockPageIsWrittenWhenTheCopyRunsAndNotBefore) {
  TestMachine machine, copy;
  ASSERT_TRUE(writeMsr(machine.cpu(), kSystemTime, 0x5001));
  const std::vector<MsrValue> msrs = saveMsrs(machine.cpu());
  ASSERT_TRUE(loadMsrs(copy.cpu(), msrs));
  EXPECT_EQ(copy.readRam<std::uint32_t>(0x5000), 0U);
  EXPECT_NE(copy.cpu().system.kvmClock.writtenFor, copy.clock.generation());
}

TEST(MsrState, WhatKvmKeepsAndNothingNeedsIsDropped) {
  TestMachine machine;
  // Of a guest that was started on KVM: SMI_COUNT, microcode, SMBASE, HWCR, TSC_RATIO; and unknown ones that are 0.
  EXPECT_TRUE(loadMsrs(machine.cpu(), std::vector<MsrValue>{{0x34, 2},
                                                            {0x8b, 0x0100'0065},
                                                            {0x9e, 0x3'0000},
                                                            {0x10a, 0xc10},
                                                            {0x345, 0},
                                                            {0xc000'0104, 1ULL << 32U},
                                                            {0xc001'0015, 0}}));
}

TEST(MsrState, AnUnknownOneThatHasAValueIsNamed) {
  TestMachine machine;
  const Status status = loadMsrs(machine.cpu(), std::vector<MsrValue>{{0xd90, 0x1001}});
  ASSERT_FALSE(status.has_value());
  EXPECT_EQ(status.error().text(), "the CPU in software refuses the value 0x1001 of MSR 0xd90");
}

TEST(MsrState, AValueThatNoGuestCouldHaveWrittenIsNamed) {
  TestMachine machine;
  EXPECT_FALSE(loadMsrs(machine.cpu(), std::vector<MsrValue>{{kPat, 2}}).has_value());
  EXPECT_FALSE(loadMsrs(machine.cpu(), std::vector<MsrValue>{{kLstar, kNotCanonical}}).has_value());
}

}  // namespace
}  // namespace qm::soft
