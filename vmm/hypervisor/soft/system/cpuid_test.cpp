#include "vmm/hypervisor/soft/system/cpuid.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "vmm/hypervisor/cpu_template/cpu_template.h"
#include "vmm/hypervisor/cpu_template/features.h"
#include "vmm/hypervisor/soft/system/test_machine.h"

namespace qm::soft {
namespace {

constexpr std::uint32_t kXsave = 1U << 26U, kOsxsave = 1U << 27U, kApic = 1U << 9U;

const CpuidEntry& entryOf(const CpuidTable& table, std::uint32_t leaf, std::uint32_t subleaf = 0) {
  const auto found = std::ranges::find_if(
      table, [&](const CpuidEntry& entry) { return entry.leaf == leaf && entry.subleaf == subleaf; });
  if (found == table.end()) throw std::out_of_range("no such leaf");
  return *found;
}

std::string_view vendorOf(const CpuidAnswer& answer, std::string& text) {
  text.assign(12, ' ');
  std::memcpy(text.data(), &answer.ebx, 4);
  std::memcpy(text.data() + 4, &answer.edx, 4);
  std::memcpy(text.data() + 8, &answer.ecx, 4);
  return text;
}

TEST(Cpuid, ThisHostCanRunTheCpuInSoftware) {
  EXPECT_TRUE(checkHost().has_value());
}

TEST(Cpuid, TheTableIsSortedAndWithoutDoubles) {
  const CpuidTable table = supportedCpuid();
  const auto order = [](const CpuidEntry& entry) { return std::pair(entry.leaf, entry.subleaf); };
  EXPECT_TRUE(std::ranges::is_sorted(table, {}, order));
  EXPECT_EQ(std::ranges::adjacent_find(table, {}, order), table.end());
}

TEST(Cpuid, OffersNothingThatTheLargestTemplateTakesAway) {
  const CpuidTable table = supportedCpuid();
  const auto largest = applyCpuTemplate("qm-v3-sha", table, 0, 1);
  if (!largest.has_value()) GTEST_SKIP() << largest.error().text();
  const CpuidTable& byTemplate = *largest;
  for (const std::uint32_t leaf : {6U, 7U, 0xdU, 0x4000'0001U, 0x8000'0001U, 0x8000'0007U, 0x8000'0008U})
    EXPECT_EQ(entryOf(byTemplate, leaf), entryOf(table, leaf)) << std::hex << leaf;
  EXPECT_EQ(entryOf(byTemplate, 1).ecx, entryOf(table, 1).ecx);
  EXPECT_EQ(entryOf(byTemplate, 1).edx, entryOf(table, 1).edx);
  EXPECT_TRUE(checkCpuOffers(byTemplate, table).has_value());
}

TEST(Cpuid, IsAnAtomThatSpeculatesNothing) {
  const CpuidEntry entry = entryOf(supportedCpuid(), 1);
  EXPECT_EQ(entry.eax >> 8U & 0xfU, 6U);
  EXPECT_EQ((entry.eax >> 12U & 0xf0U) | (entry.eax >> 4U & 0xfU), 0x36U);
  std::string text;
  TestMachine machine;
  EXPECT_EQ(vendorOf(readCpuid(machine.cpu(), 0, 0), text), "GenuineIntel");
}

TEST(Cpuid, TheHypervisorsNameIsKvms) {
  TestMachine machine;
  const CpuidAnswer is = readCpuid(machine.cpu(), 0x4000'0000, 0);
  EXPECT_EQ(is, (CpuidAnswer{0x4000'0001, 0x4b4d'564b, 0x564b'4d56, 0x4d}));
}

TEST(Cpuid, OsxsaveMirrorsCr4) {
  TestMachine machine;
  Cpu& cpu = machine.cpu();
  EXPECT_EQ(readCpuid(cpu, 1, 0).ecx & (kXsave | kOsxsave), kXsave);
  cpu.system.cr4 |= cr4::kOsxsave;
  EXPECT_EQ(readCpuid(cpu, 1, 0).ecx & (kXsave | kOsxsave), kXsave | kOsxsave);
}

TEST(Cpuid, TheApicIsGoneWhileItsBaseDisablesIt) {
  TestMachine machine;
  Cpu& cpu = machine.cpu();
  EXPECT_NE(readCpuid(cpu, 1, 0).edx & kApic, 0U);
  ASSERT_TRUE(cpu.around.chips.setApicBase(0, 0xfee0'0100));
  EXPECT_EQ(readCpuid(cpu, 1, 0).edx & kApic, 0U);
}

TEST(Cpuid, TheXsaveAreaIsAsLargeAsWhatXcr0SwitchesOn) {
  TestMachine machine;
  Cpu& cpu = machine.cpu();
  const CpuidTable table{{.leaf = 0xd, .subleafMatters = true, .eax = 7},
                         {.leaf = 0xd, .subleaf = 2, .subleafMatters = true, .eax = 256, .ebx = 576}};
  setGuestCpuid(cpu, table);
  EXPECT_EQ(readCpuid(cpu, 0xd, 0).ebx, 576U);
  cpu.system.xcr0 = 7;
  EXPECT_EQ(readCpuid(cpu, 0xd, 0).ebx, 832U);
}

TEST(Cpuid, LeavesBeyondTheLastAreTheLastBasicOneOnIntelsKind) {
  TestMachine machine;
  Cpu& cpu = machine.cpu();
  const CpuidAnswer last = readCpuid(cpu, 0xd, 1);
  EXPECT_NE(last, CpuidAnswer{});
  for (const std::uint32_t leaf : {0xeU, 0x2000'0000U, 0x4000'0002U, 0x8000'0009U, 0xc000'0000U})
    EXPECT_EQ(readCpuid(cpu, leaf, 1), last) << std::hex << leaf;
}

TEST(Cpuid, LeavesBeyondTheLastAreZerosOnOthers) {
  TestMachine machine;
  CpuidTable table = supportedCpuid();
  table[0].ecx = 0x444d'4163;  // AuthenticAMD's end
  setGuestCpuid(machine.cpu(), table);
  EXPECT_EQ(readCpuid(machine.cpu(), 0xe, 0), CpuidAnswer{});
}

TEST(Cpuid, LeavesWithinThatAreAbsentAreZeros) {
  TestMachine machine;
  EXPECT_EQ(readCpuid(machine.cpu(), 5, 0), CpuidAnswer{});
  EXPECT_EQ(readCpuid(machine.cpu(), 7, 1), CpuidAnswer{});
}

TEST(Cpuid, TopologyLevelsThatThereAreNotStillTellTheApicId) {
  TestMachine machine;
  setGuestCpuid(machine.cpu(), applyCpuTemplate("qm-v1", supportedCpuid(), 3, 4).value());
  EXPECT_EQ(readCpuid(machine.cpu(), 0xb, 1).edx, 3U);
  EXPECT_EQ(readCpuid(machine.cpu(), 0xb, 0x107), (CpuidAnswer{0, 0, 7, 3}));
}

TEST(Cpuid, PhysicalAddressesAreAsWideAsTheGuestWasTold) {
  TestMachine machine;
  EXPECT_EQ(machine.cpu().system.physicalMask, 0x3fff'ffff'ffffU);
  setGuestCpuid(machine.cpu(), {{.leaf = 0x8000'0008, .eax = 0x3028}});
  EXPECT_EQ(machine.cpu().system.physicalMask, 0xff'ffff'ffffU);
  setGuestCpuid(machine.cpu(), {{.leaf = 0x8000'0008, .eax = 0xff}});
  EXPECT_EQ(machine.cpu().system.physicalMask, 0xf'ffff'ffff'ffffU);
  setGuestCpuid(machine.cpu(), {});
  EXPECT_EQ(machine.cpu().system.physicalMask, 0xf'ffff'ffffU);
}

}  // namespace
}  // namespace qm::soft
