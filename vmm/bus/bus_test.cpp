#include "vmm/bus/bus.h"

#include <gtest/gtest.h>

namespace qm {
namespace {

// Remembers every access and answers its offset.
class FakeTarget final : public BusTarget {
 public:
  std::uint64_t read(std::uint64_t offset, std::uint8_t /*bytes*/) override { return offset; }
  void write(std::uint64_t offset, std::uint8_t /*bytes*/, std::uint64_t value) override {
    writes.emplace_back(offset, value);
  }
  std::vector<std::pair<std::uint64_t, std::uint64_t>> writes;
};

TEST(Bus, AnAccessReachesTheTargetThatClaimedItWithItsOffset) {
  FakeTarget low, high;
  Bus bus;
  ASSERT_TRUE(bus.attach(0x2000, 0x1000, high, "high").has_value());
  ASSERT_TRUE(bus.attach(0x1000, 0x1000, low, "low").has_value());
  bus.freeze();
  std::uint64_t value = 0;
  EXPECT_TRUE(bus.read(0x1ff8, 8, value));
  EXPECT_EQ(value, 0xff8U);
  EXPECT_TRUE(bus.write(0x2004, 4, 7));
  EXPECT_EQ(high.writes, (std::vector<std::pair<std::uint64_t, std::uint64_t>>{{4, 7}}));
  EXPECT_TRUE(low.writes.empty());
}

TEST(Bus, WhatNobodyClaimsWholeReadsAllOnes) {
  FakeTarget target;
  Bus bus;
  ASSERT_TRUE(bus.attach(0x1000, 0x10, target, "small").has_value());
  bus.freeze();
  std::uint64_t value = 0;
  EXPECT_FALSE(bus.read(0x100c, 8, value));
  EXPECT_EQ(value, ~std::uint64_t{0});
  EXPECT_FALSE(bus.read(0xfff, 1, value));
  EXPECT_FALSE(bus.write(0x1010, 1, 0));
}

TEST(Bus, OverlapIsRefusedAndNamesBoth) {
  FakeTarget target;
  Bus bus;
  ASSERT_TRUE(bus.attach(0x60, 5, target, "i8042").has_value());
  const auto before = bus.attach(0x5f, 2, target, "early");
  ASSERT_FALSE(before.has_value());
  EXPECT_EQ(before.error().text(), "early at 0x5f overlaps i8042");
  EXPECT_FALSE(bus.attach(0x64, 1, target, "late").has_value());
  EXPECT_TRUE(bus.attach(0x65, 1, target, "next").has_value());
}

}  // namespace
}  // namespace qm
