#include "vmm/hypervisor/soft/cpu/tlb.h"

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/cpu/jump_cache.h"

namespace qm::soft {
namespace {

constexpr std::uint64_t kHost = 0x7000'0000'0000, kLargePage = 0x4000'0000, kHugePage = 0x8000'0000;
constexpr Tlb::Kind kSmall{}, kGlobal{.lifetime = Lifetime::global}, kLarge{.size = PageSize::bytes2M},
    kHuge{.size = PageSize::bytes1G};

bool isRead(const Tlb& tlb, std::uint64_t address) {
  return tlb.read[Tlb::slotOf(address)].page == (address & kPageMask);
}
bool isWritten(const Tlb& tlb, std::uint64_t address) {
  return tlb.write[Tlb::slotOf(address)].page == (address & kPageMask);
}

TEST(Tlb, AnInvalidatedPageIsForgottenAndItsNeighbourIsNot) {
  Tlb tlb;
  tlb.fillRead(0x1234, kHost, kSmall);
  tlb.fillWrite(0x1234, kHost, kSmall);
  tlb.fillRead(0x2000, kHost, kSmall);
  tlb.flushPage(0x1fff);
  EXPECT_FALSE(isRead(tlb, 0x1000));
  EXPECT_FALSE(isWritten(tlb, 0x1000));
  EXPECT_TRUE(isRead(tlb, 0x2000));
}

TEST(Tlb, AnyAddressOfALargePageInvalidatesAllItsParts) {
  Tlb tlb;
  tlb.fillRead(kLargePage + 0x3000, kHost, kLarge);
  tlb.fillWrite(kLargePage + 0x1f'f000, kHost, kLarge);
  tlb.fillRead(kLargePage + 0x20'0000, kHost, kLarge);  // of the next large page
  tlb.flushPage(kLargePage + 0x10'0000);
  EXPECT_FALSE(isRead(tlb, kLargePage + 0x3000));
  EXPECT_FALSE(isWritten(tlb, kLargePage + 0x1f'f000));
  EXPECT_TRUE(isRead(tlb, kLargePage + 0x20'0000));
}

TEST(Tlb, AnyAddressOfAHugePageInvalidatesAllItsParts) {
  Tlb tlb;
  tlb.fillRead(kHugePage + 0x3fff'f000, kHost, kHuge);
  tlb.fillRead(kHugePage - 0x1000, kHost, kSmall);
  tlb.flushPage(kHugePage);
  EXPECT_FALSE(isRead(tlb, kHugePage + 0x3fff'f000));
  EXPECT_TRUE(isRead(tlb, kHugePage - 0x1000));
}

TEST(Tlb, GlobalPagesOutliveTheAddressSpace) {
  Tlb tlb;
  tlb.fillRead(0x1000, kHost, kSmall);
  tlb.fillRead(0x2000, kHost, kGlobal);
  tlb.flushNonGlobal();
  EXPECT_FALSE(isRead(tlb, 0x1000));
  EXPECT_TRUE(isRead(tlb, 0x2000));
  tlb.flush();
  EXPECT_FALSE(isRead(tlb, 0x2000));
}

TEST(CodeTlb, AnyAddressOfALargePageInvalidatesAllItsParts) {
  CodeTlb tlb;
  tlb.fill({.page = kLargePage + 0x3000, .size = PageSize::bytes2M});
  tlb.fill({.page = kLargePage + 0x20'4000, .size = PageSize::bytes2M});
  tlb.flushPage(kLargePage);
  EXPECT_EQ(tlb.find(kLargePage + 0x3000), nullptr);
  EXPECT_NE(tlb.find(kLargePage + 0x20'4000), nullptr);
}

// Hints for code at these addresses, which lie in slots of their own.
class Jumps : public testing::Test {
 protected:
  static constexpr std::uint64_t kCode = 0x40'1000;
  bool isHintedAt(std::uint64_t rip) const { return jumps.find(rip) == &block; }
  JumpCache jumps;
  Operation block;
};

TEST_F(Jumps, ToGlobalCodeOutliveTheAddressSpace) {
  jumps.remember(kCode, &block, Lifetime::global, PageSize::bytes4K);
  jumps.forgetNonGlobal();
  EXPECT_TRUE(isHintedAt(kCode));
  jumps.remember(kCode + 1, &block, Lifetime::addressSpace, PageSize::bytes4K);
  jumps.forgetNonGlobal();
  EXPECT_FALSE(isHintedAt(kCode + 1));
}

TEST_F(Jumps, OutliveThePagesTheyHaveNothingToDoWith) {
  jumps.remember(kCode, &block, Lifetime::addressSpace, PageSize::bytes4K);
  jumps.forgetPage(kCode + kPageBytes);
  EXPECT_TRUE(isHintedAt(kCode));
  jumps.forgetPage(kCode + kPageBytes - 1);
  EXPECT_FALSE(isHintedAt(kCode));
}

TEST_F(Jumps, IntoALargePageEndWithAnyAddressOfIt) {
  jumps.remember(kLargePage + 0x3000, &block, Lifetime::global, PageSize::bytes2M);
  jumps.forgetPage(kLargePage + 0x20'0000);
  EXPECT_TRUE(isHintedAt(kLargePage + 0x3000));
  jumps.forgetPage(kLargePage + 0x1f'0000);
  EXPECT_FALSE(isHintedAt(kLargePage + 0x3000));
}

}  // namespace
}  // namespace qm::soft
