#include <array>

#include <gtest/gtest.h>

#include "vmm/memory/guest_memory.h"

namespace qm {
namespace {

constexpr std::uint64_t kMiB = 1024 * 1024;

TEST(Layout, RamUpToThreeGibibytesIsOneRange) {
  EXPECT_EQ(ramLayout(128 * kMiB), (std::vector<MemoryRange>{{GuestAddress{0}, 128 * kMiB, 0}}));
  EXPECT_EQ(ramLayout(kMmioHoleStart.value).size(), 1U);
}

TEST(Layout, WhatDoesNotFitBelowTheHoleContinuesAboveFourGibibytes) {
  const std::vector<MemoryRange> expected{{GuestAddress{0}, 3072 * kMiB, 0}, {kMmioHoleEnd, 1024 * kMiB, 3072 * kMiB}};
  EXPECT_EQ(ramLayout(4096 * kMiB), expected);
}

TEST(GuestMemory, AnAddressBeyondRamIsAnErrorThatNamesIt) {
  const GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  const auto read = memory.readObject<std::uint64_t>(GuestAddress{kMiB - 4});
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().text(), "guest address 0xffffc + 8 bytes is not RAM");
}

TEST(GuestMemory, ALengthThatWrapsAroundTheAddressSpaceIsRefused) {
  const GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  EXPECT_FALSE(memory.hostRange(GuestAddress{0x1000}, ~std::uint64_t{0}).has_value());
  EXPECT_FALSE(memory.hostRange(GuestAddress{~std::uint64_t{0}}, 2).has_value());
}

TEST(GuestMemory, AccessDoesNotRunAcrossTheHole) {
  const GuestMemory memory = GuestMemory::anonymous(3073 * kMiB).value();
  EXPECT_TRUE(memory.hostRange(kMmioHoleEnd, kMiB).has_value());
  EXPECT_FALSE(memory.hostRange(GuestAddress{kMmioHoleStart.value - 8}, 16).has_value());
  EXPECT_FALSE(memory.hostRange(kMmioHoleStart, 1).has_value());
}

TEST(GuestMemory, WritesMarkEveryPageTheyTouchAndTakingClears) {
  GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  const std::array<std::byte, 2> bytes{};
  ASSERT_TRUE(memory.write(GuestAddress{2 * kGuestPageBytes - 1}, bytes).has_value());
  EXPECT_EQ(memory.takeDeviceDirty().at(0).at(0), 0b110U);
  EXPECT_EQ(memory.takeDeviceDirty().at(0).at(0), 0U);
}

TEST(GuestMemory, AFileShorterThanTheGuestIsRefusedBeforeTheGuestCouldTouchIt) {
  const FileDescriptor file = createMemfd("short", kMiB - 1).value();
  const auto memory = GuestMemory::ofFile(file, kMiB, Sharing::privateCopy);
  ASSERT_FALSE(memory.has_value());
  EXPECT_EQ(memory.error().remedy(), Remedy::fixInput);
}

TEST(GuestMemory, RingIndicesMustBeAligned) {
  GuestMemory memory = GuestMemory::anonymous(kMiB).value();
  EXPECT_FALSE(memory.loadAcquire16(GuestAddress{3}).has_value());
  ASSERT_TRUE(memory.storeRelease16(GuestAddress{4}, 0x1234).has_value());
  EXPECT_EQ(memory.loadAcquire16(GuestAddress{4}).value(), 0x1234);
}

}  // namespace
}  // namespace qm
