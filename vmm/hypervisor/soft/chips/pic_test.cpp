// Two 8259A as a PC has them.
#include "vmm/hypervisor/soft/chips/pic.h"

#include <array>
#include <tuple>

#include <gtest/gtest.h>

namespace qm::soft {
namespace {

constexpr std::uint16_t kFirst = 0x20, kFirstMask = 0x21, kSecond = 0xa0, kSecondMask = 0xa1, kElcr = 0x4d0;
constexpr std::uint8_t kBase = 0x30, kSecondBase = 0x38;
constexpr std::uint8_t kEoi = 0x20, kReadIrr = 0x0a, kReadIsr = 0x0b;

// As a guest sets them up, with every line unmasked.
PicPair initialised(std::uint8_t icw4 = 0x01) {
  PicPair pic;
  for (const auto& [command, data, base, cascade] :
       {std::tuple{kFirst, kFirstMask, kBase, 0x04}, std::tuple{kSecond, kSecondMask, kSecondBase, 0x02}}) {
    pic.write(command, 0x11);
    pic.write(data, base);
    pic.write(data, static_cast<std::uint8_t>(cascade));
    pic.write(data, icw4);
  }
  return pic;
}
std::uint8_t readAs(PicPair& pic, std::uint8_t ocw3, std::uint16_t port = kFirst) {
  pic.write(port, ocw3);
  return pic.read(port);
}
void pulse(PicPair& pic, std::uint32_t line) {
  pic.setLine(line, true);
  pic.setLine(line, false);
}

TEST(Pic, AnEdgeIsRequestedAndServedUntilItsEnd) {
  PicPair pic = initialised();
  pic.setLine(5, true);
  EXPECT_TRUE(pic.output());
  EXPECT_EQ(pic.vector(), kBase + 5);
  EXPECT_EQ(pic.acknowledge(), kBase + 5);
  EXPECT_FALSE(pic.output());
  EXPECT_EQ(readAs(pic, kReadIsr), 1U << 5U);
  EXPECT_EQ(readAs(pic, kReadIrr), 0U);
  pic.write(kFirst, kEoi);
  EXPECT_EQ(readAs(pic, kReadIsr), 0U);
  EXPECT_FALSE(pic.output());
}

TEST(Pic, AnEdgeStaysRequestedAfterItsFall) {
  PicPair pic = initialised();
  pulse(pic, 3);
  EXPECT_EQ(pic.acknowledge(), kBase + 3);
}

TEST(Pic, AMaskedLineIsRequestedWhenUnmasked) {
  PicPair pic = initialised();
  pic.write(kFirstMask, 0xff);
  pulse(pic, 3);
  EXPECT_FALSE(pic.output());
  EXPECT_EQ(pic.read(kFirstMask), 0xffU);
  pic.write(kFirstMask, 0xf7);
  EXPECT_TRUE(pic.output());
}

TEST(Pic, TheLowerLineComesFirstAndInterruptsTheHigher) {
  PicPair pic = initialised();
  pulse(pic, 6);
  pulse(pic, 4);
  EXPECT_EQ(pic.acknowledge(), kBase + 4);
  EXPECT_FALSE(pic.output());  // 6 waits for 4's end
  pulse(pic, 1);
  EXPECT_EQ(pic.acknowledge(), kBase + 1);
  pic.write(kFirst, kEoi);
  pic.write(kFirst, kEoi);
  EXPECT_EQ(pic.acknowledge(), kBase + 6);
}

TEST(Pic, TheSecondChipsLinesComeThroughLineTwo) {
  PicPair pic = initialised();
  pulse(pic, 12);
  EXPECT_EQ(pic.vector(), kSecondBase + 4);
  EXPECT_EQ(pic.acknowledge(), kSecondBase + 4);
  EXPECT_EQ(readAs(pic, kReadIsr), 1U << 2U);
  EXPECT_EQ(readAs(pic, kReadIsr, kSecond), 1U << 4U);
  pulse(pic, 3);
  EXPECT_FALSE(pic.output());  // line 2 goes before it
  pic.write(kSecond, kEoi);
  pic.write(kFirst, kEoi);
  EXPECT_EQ(pic.acknowledge(), kBase + 3);
}

TEST(Pic, InSpecialFullyNestedModeTheSecondChipInterruptsItself) {
  PicPair pic = initialised(0x11);
  pulse(pic, 12);
  pic.acknowledge();
  pulse(pic, 9);
  EXPECT_EQ(pic.acknowledge(), kSecondBase + 1);
}

TEST(Pic, ALineOfTheSecondChipThatWasMaskedAgainIsNotRequested) {
  PicPair pic = initialised();
  pulse(pic, 12);
  pic.write(kSecondMask, 0xff);
  EXPECT_FALSE(pic.output());
}

TEST(Pic, AnAcknowledgeWithoutARequestIsTheSpuriousLineSeven) {
  PicPair pic = initialised();
  EXPECT_EQ(pic.vector(), std::nullopt);
  EXPECT_EQ(pic.acknowledge(), kBase + 7);
  EXPECT_EQ(readAs(pic, kReadIsr), 0U);
}

TEST(Pic, ALevelIsRequestedAsLongAsItsLineIsUp) {
  PicPair pic = initialised();
  pic.write(kElcr, 1U << 5U);
  pic.setLine(5, true);
  EXPECT_EQ(pic.acknowledge(), kBase + 5);
  pic.write(kFirst, kEoi);
  EXPECT_TRUE(pic.output());
  pic.setLine(5, false);
  EXPECT_FALSE(pic.output());
}

TEST(Pic, ALineThatBecomesALevelIsRequestedIfItIsUp) {
  PicPair pic = initialised();
  pic.setLine(5, true);
  pic.acknowledge();
  pic.write(kFirst, kEoi);
  pulse(pic, 6);
  pic.write(kElcr, 1U << 5U | 1U << 6U);
  EXPECT_EQ(readAs(pic, kReadIrr), 1U << 5U);
}

TEST(Pic, TheTimersAndTheCascadeAreAlwaysEdges) {
  PicPair pic;
  pic.write(kElcr, 0xff);
  pic.write(kElcr + 1, 0xff);
  EXPECT_EQ(pic.read(kElcr), 0xf8U);
  EXPECT_EQ(pic.read(kElcr + 1), 0xdeU);
}

TEST(Pic, AutomaticEndOfInterruptLeavesNothingInService) {
  PicPair pic = initialised(0x03);
  pulse(pic, 5);
  pic.acknowledge();
  EXPECT_EQ(readAs(pic, kReadIsr), 0U);
}

TEST(Pic, RotationMakesTheServedLineTheLowest) {
  PicPair pic = initialised();
  pulse(pic, 3);
  pic.acknowledge();
  pic.write(kFirst, 0xa0);  // rotate on non-specific EOI
  pulse(pic, 3);
  pulse(pic, 6);
  EXPECT_EQ(pic.acknowledge(), kBase + 6);
}

TEST(Pic, RotationInAutomaticEndOfInterrupt) {
  PicPair pic = initialised(0x03);
  pic.write(kFirst, 0x80);
  pulse(pic, 3);
  pic.acknowledge();
  pulse(pic, 3);
  pulse(pic, 4);
  EXPECT_EQ(pic.acknowledge(), kBase + 4);
}

TEST(Pic, ASpecificEndAndASetPriority) {
  PicPair pic = initialised();
  pulse(pic, 6);
  pic.acknowledge();
  pulse(pic, 4);
  pic.acknowledge();
  pic.write(kFirst, 0x66);  // specific EOI of 6
  EXPECT_EQ(readAs(pic, kReadIsr), 1U << 4U);
  pic.write(kFirst, 0x64);
  pic.write(kFirst, 0xc4);  // 4 is the lowest, 5 the highest
  pulse(pic, 4);
  pulse(pic, 5);
  EXPECT_EQ(pic.acknowledge(), kBase + 5);
}

TEST(Pic, InSpecialMaskModeAMaskedLineHoldsNobodyBack) {
  PicPair pic = initialised();
  pulse(pic, 1);
  pic.acknowledge();
  pulse(pic, 5);
  EXPECT_FALSE(pic.output());
  pic.write(kFirst, 0x68);  // special mask
  pic.write(kFirstMask, 1U << 1U);
  EXPECT_EQ(pic.acknowledge(), kBase + 5);
  pic.write(kFirst, kEoi);
  EXPECT_EQ(readAs(pic, kReadIsr), 1U << 1U);
}

TEST(Pic, APollAcknowledges) {
  PicPair pic = initialised();
  pulse(pic, 5);
  EXPECT_EQ(readAs(pic, 0x0c), 0x85U);
  EXPECT_FALSE(pic.output());
  EXPECT_EQ(readAs(pic, 0x0c), 0x00U);
}

TEST(Pic, InitialisingForgetsEdgesUntilTheirLinesRiseAgain) {
  PicPair pic = initialised();
  pic.setLine(5, true);
  pic.write(kFirst, 0x11);
  pic.write(kFirstMask, kBase);
  pic.write(kFirstMask, 0x04);
  pic.write(kFirstMask, 0x01);
  EXPECT_FALSE(pic.output());
  pic.setLine(5, true);
  EXPECT_FALSE(pic.output());
  pic.setLine(5, false);
  pic.setLine(5, true);
  EXPECT_TRUE(pic.output());
}

TEST(Pic, WithoutIcw4TheWordAfterTheCascadeIsTheMask) {
  PicPair pic;
  pic.write(kFirst, 0x10);
  pic.write(kFirstMask, kBase);
  pic.write(kFirstMask, 0x04);
  pic.write(kFirstMask, 0xab);
  EXPECT_EQ(pic.read(kFirstMask), 0xabU);
}

TEST(Pic, LineTwoAndLinesBeyondFifteenAreNobodys) {
  PicPair pic = initialised();
  pic.setLine(2, true);
  pic.setLine(16, true);
  pic.setLine(0xffff'ffff, true);
  EXPECT_FALSE(pic.output());
  Pic primary, secondary;
  pic.save(primary, secondary);
  EXPECT_EQ(primary.lastIrr, 0);
  EXPECT_EQ(secondary.lastIrr, 0);
}

TEST(Pic, OwnsItsSixPorts) {
  constexpr std::array<std::uint16_t, 6> kOwned{0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1};
  constexpr std::array<std::uint16_t, 7> kNeighbours{0x1f, 0x22, 0x9f, 0xa2, 0x4cf, 0x4d2, 0x120};
  for (const std::uint16_t port : kOwned) EXPECT_TRUE(PicPair::ownsPort(port)) << port;
  PicPair pic;
  for (const std::uint16_t port : kNeighbours) {
    EXPECT_FALSE(PicPair::ownsPort(port)) << port;
    pic.write(port, 0);
    EXPECT_EQ(pic.read(port), 0xffU);
  }
}

TEST(Pic, ARequestTravels) {
  PicPair pic = initialised();
  pulse(pic, 12);
  Pic primary, secondary;
  pic.save(primary, secondary);
  PicPair copy;
  copy.load(primary, secondary);
  EXPECT_EQ(copy.acknowledge(), kSecondBase + 4);
}

TEST(Pic, WhatNoChipCanHaveIsNotLoaded) {
  Pic hostile{.irr = 0xff, .priorityAdd = 0xff, .irqBase = 0xff, .initState = 0xff, .elcr = 0xff, .elcrMask = 0xff};
  PicPair pic;
  pic.load(hostile, hostile);
  Pic primary, secondary;
  pic.save(primary, secondary);
  EXPECT_EQ(primary.priorityAdd, 7);
  EXPECT_EQ(primary.irqBase, 0xf8);
  EXPECT_EQ(primary.elcr, 0xf8);
  EXPECT_EQ(secondary.elcr, 0xde);
  PicPair again;
  again.load(primary, secondary);
  Pic primaryAgain, secondaryAgain;
  again.save(primaryAgain, secondaryAgain);
  EXPECT_EQ(primaryAgain, primary);
  EXPECT_EQ(secondaryAgain, secondary);
}

}  // namespace
}  // namespace qm::soft
