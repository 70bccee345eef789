#include "vmm/hypervisor/cpu_template/cpu_template.h"

#include <gtest/gtest.h>

#include "vmm/hypervisor/cpu_template/features.h"

namespace qm {
namespace {

constexpr std::uint32_t kAvx = 1U << 28U, kSse42 = 1U << 20U, kSteal = 1U << 5U, kClock = 1U << 3U;

// A host with SSE4.2 and AVX, a PMU, and steal time.
CpuidTable hostTable() {
  return {{.leaf = 0, .eax = 0x1f, .ebx = 0x756e6547},
          {.leaf = 1, .eax = 0x806f8, .ebx = 0x0310'0800, .ecx = kAvx | kSse42, .edx = 1},
          {.leaf = 0xa, .eax = 0x0730'0405},
          {.leaf = 0xd, .subleaf = 0, .subleafMatters = true, .eax = 7, .ebx = 832, .ecx = 832},
          {.leaf = 0xd, .subleaf = 2, .subleafMatters = true, .eax = 256, .ebx = 576},
          {.leaf = 0x4000'0000, .eax = 0x4000'0010},
          {.leaf = 0x4000'0001, .eax = kClock | kSteal}};
}

const CpuidEntry& entryOf(const CpuidTable& table, std::uint32_t leaf, std::uint32_t subleaf = 0) {
  for (const CpuidEntry& entry : table) {
    if (entry.leaf == leaf && entry.subleaf == subleaf) return entry;
  }
  throw std::out_of_range("no such leaf");
}

TEST(CpuTemplate, TheDefaultOffersNoMoreThanItsList) {
  const CpuidTable table = applyCpuTemplate("qm-v1", hostTable(), 0, 1).value();
  EXPECT_EQ(entryOf(table, 1).ecx, kSse42);
  EXPECT_EQ(entryOf(table, 0x4000'0001).eax, kClock);
  EXPECT_EQ(entryOf(table, 0).eax, 0xdU);
  EXPECT_THROW(entryOf(table, 0xa), std::out_of_range);
}

TEST(CpuTemplate, TheXsaveAreaShrinksWithTheComponentsLeftOut) {
  const CpuidTable table = applyCpuTemplate("qm-v1", hostTable(), 0, 1).value();
  EXPECT_EQ(entryOf(table, 0xd).eax, 3U);
  EXPECT_EQ(entryOf(table, 0xd).ebx, 576U);
  EXPECT_THROW(entryOf(table, 0xd, 2), std::out_of_range);
}

// x86-64-v3 by the leaves of the test's host.
CpuidTable hostOfV3() {
  CpuidTable table = hostTable();
  constexpr std::uint32_t kFma = 1U << 12U, kMovbe = 1U << 22U, kXsave = 1U << 26U, kF16c = 1U << 29U;
  table[1].ecx |= kFma | kMovbe | kXsave | kF16c;
  constexpr std::uint32_t kBmi1 = 1U << 3U, kAvx2 = 1U << 5U, kBmi2 = 1U << 8U, kAvx512f = 1U << 16U;
  table.push_back({.leaf = 7, .subleafMatters = true, .ebx = kBmi1 | kAvx2 | kBmi2 | kAvx512f});
  table.push_back({.leaf = 0x8000'0001, .ecx = 1U << 5U});
  return table;
}

TEST(CpuTemplate, V3HasTheUpperHalvesInTheXsaveAreaAndNothingOfAvx512) {
  const CpuidTable table = applyCpuTemplate("qm-v3", hostOfV3(), 0, 1).value();
  EXPECT_EQ(entryOf(table, 1).ecx & kAvx, kAvx);
  EXPECT_EQ(entryOf(table, 7).ebx >> 16U & 1U, 0U);
  EXPECT_EQ(entryOf(table, 0xd).eax, 7U);
  EXPECT_EQ(entryOf(table, 0xd).ebx, 832U);
  EXPECT_EQ(entryOf(table, 0xd, 2).ebx, 576U);
}

TEST(CpuTemplate, V3IsNotToBeHadWhereAPartOfItIsMissing) {
  CpuidTable lesser = hostOfV3();
  lesser[1].ecx &= ~(1U << 12U);
  EXPECT_EQ(applyCpuTemplate("qm-v3", lesser, 0, 1).error().text(),
            "CPU template qm-v3 is not to be had on this host, which lacks fma");
  EXPECT_EQ(applyCpuTemplate("qm-v3-sha", hostOfV3(), 0, 1).error().text(),
            "CPU template qm-v3-sha is not to be had on this host, which lacks sha");
}

// All features of qm-v1, and each of the bits between them.
CpuidTable hostOfEverything() {
  CpuidTable table;
  for (const CpuFeature& feature : portableFeatures()) {
    if (table.empty() || table.back().leaf != feature.leaf || table.back().subleaf != feature.subleaf)
      table.push_back({.leaf = feature.leaf,
                       .subleaf = feature.subleaf,
                       .subleafMatters = true,
                       .eax = ~0U,
                       .ebx = ~0U,
                       .ecx = ~0U,
                       .edx = ~0U});
  }
  return table;
}

TEST(CpuTemplate, TheBaseIsTheSameWhateverTheHostOffersBesides) {
  const CpuidTable table = applyCpuTemplate("qm-base", hostOfEverything(), 0, 1).value();
  const CpuidTable& hostOfTheBaseAlone = table;
  EXPECT_EQ(applyCpuTemplate("qm-base", hostOfTheBaseAlone, 0, 1).value(), table);
  constexpr std::uint32_t kPcid = 1U << 17U, kXsave = 1U << 26U, kInvpcid = 1U << 10U, kRdseed = 1U << 18U;
  EXPECT_EQ(entryOf(table, 1).ecx & (kPcid | kXsave | kAvx), 0U);
  EXPECT_EQ(entryOf(table, 1).ecx & kSse42, kSse42);
  EXPECT_EQ(entryOf(table, 7).ebx & (kInvpcid | kRdseed), 0U);
  EXPECT_THROW(entryOf(table, 0xd), std::out_of_range);
}

TEST(CpuTemplate, TheBaseIsNotToBeHadWhereAPartOfItIsMissing) {
  CpuidTable lesser = hostOfEverything();
  lesser[0].ecx &= ~kSse42;
  EXPECT_EQ(applyCpuTemplate("qm-base", lesser, 0, 1).error().text(),
            "CPU template qm-base is not to be had on this host, which lacks sse4.2");
}

TEST(CpuTemplate, EachVcpuSeesItsOwnApicIdInOnePackage) {
  const CpuidTable table = applyCpuTemplate("qm-v1", hostTable(), 3, 4).value();
  EXPECT_EQ(entryOf(table, 1).ebx, 0x0304'0800U);
  EXPECT_EQ(entryOf(table, 1).edx >> 28U & 1U, 1U);
  EXPECT_EQ(entryOf(table, 0xb, 1), (CpuidEntry{0xb, 1, true, 2, 4, 0x201, 3}));
}

TEST(CpuTemplate, AnUnknownNameSaysWhatThereIs) {
  EXPECT_EQ(applyCpuTemplate("T2", hostTable(), 0, 1).error().text(),
            "there is no CPU template \"T2\"; take qm-v1, qm-base, qm-v3, qm-v3-sha, host");
}

TEST(CpuTemplate, AHostThatLacksAFeatureIsRefusedByTheFeaturesName) {
  const CpuidTable saved = applyCpuTemplate("qm-v1", hostTable(), 0, 1).value();
  CpuidTable lesser = hostTable();
  lesser[1].ecx = 0;
  EXPECT_TRUE(checkCpuOffers(saved, hostTable()).has_value());
  EXPECT_EQ(checkCpuOffers(saved, lesser).error().text(),
            "this host's CPU does not offer what the guest was started with: sse4.2");
}

TEST(CpuTemplate, AMissingFeatureWithoutANameIsToldByItsRegisterAndBit) {
  const CpuidTable saved{{.leaf = 7, .subleafMatters = true, .edx = 1U << 9U}};
  EXPECT_EQ(checkCpuOffers(saved, hostTable()).error().text(),
            "this host's CPU does not offer what the guest was started with: cpuid 0x7.0 edx bit 9");
}

TEST(CpuTemplate, ACpuThatTellsMoreOfItsX87OffersNoLess) {
  constexpr std::uint32_t kFdpOnlyAtExceptions = 1U << 6U, kNoFcsFds = 1U << 13U;
  const CpuidTable saved{{.leaf = 7, .subleafMatters = true, .ebx = kFdpOnlyAtExceptions | kNoFcsFds}};
  EXPECT_TRUE(checkCpuOffers(saved, hostTable()).has_value());
}

TEST(CpuTemplate, MoreVcpusThanTheHostsOwnTableShowsAreNoMissingFeature) {
  const CpuidTable saved = applyCpuTemplate("qm-v1", hostTable(), 1, 2).value();
  EXPECT_TRUE(checkCpuOffers(saved, hostTable()).has_value());
}

}  // namespace
}  // namespace qm
