// 82093AA, sections 3 and 4.
#include "vmm/hypervisor/soft/chips/io_apic.h"

#include <gtest/gtest.h>

namespace qm::soft {
namespace {

constexpr std::uint32_t kSelect = 0x00, kWindow = 0x10;
constexpr std::uint32_t kMasked = 1U << 16U, kLevel = 1U << 15U, kRemoteIrr = 1U << 14U, kLogical = 1U << 11U;
constexpr std::uint32_t kPin = 5, kBit = 1U << kPin;
constexpr std::uint8_t kVector = 0x51;

std::uint32_t readRegister(IoApicChip& chip, std::uint32_t which) {
  chip.write(kSelect, which);
  return chip.read(kWindow);
}
PinSet writeRegister(IoApicChip& chip, std::uint32_t which, std::uint32_t value) {
  chip.write(kSelect, which);
  return chip.write(kWindow, value);
}
std::uint32_t lowOf(std::uint32_t pin) {
  return 0x10 + 2 * pin;
}
PinSet route(IoApicChip& chip, std::uint32_t low, std::uint32_t destination = 0) {
  writeRegister(chip, lowOf(kPin) + 1, destination << 24U);
  return writeRegister(chip, lowOf(kPin), low);
}
// What the fabric does with a pin when somebody takes its message.
InterruptMessage sendPin(IoApicChip& chip) {
  const InterruptMessage message = chip.take(kPin);
  chip.confirm(kPin);
  return message;
}

TEST(IoApic, TellsItsVersionAndHasEveryPinMaskedAfterAReset) {
  IoApicChip chip;
  EXPECT_EQ(readRegister(chip, 0x01), 0x0017'0011U);
  for (std::uint32_t pin = 0; pin < IoApicChip::kPins; ++pin) EXPECT_EQ(readRegister(chip, lowOf(pin)), kMasked);
  EXPECT_EQ(chip.setLine(kPin, true), 0U);
}

TEST(IoApic, TheIdHasFourBitsAndIsTheArbitrationIdToo) {
  IoApicChip chip;
  writeRegister(chip, 0x00, 0xffff'ffff);
  EXPECT_EQ(readRegister(chip, 0x00), 0x0f00'0000U);
  EXPECT_EQ(readRegister(chip, 0x02), 0x0f00'0000U);
}

TEST(IoApic, ReservedBitsAndRegistersAreNotKept) {
  IoApicChip chip;
  writeRegister(chip, lowOf(kPin), 0xffff'ffff);
  writeRegister(chip, lowOf(kPin) + 1, 0xffff'ffff);
  EXPECT_EQ(readRegister(chip, lowOf(kPin)), 0x0001'afffU);  // but for delivery status and remote IRR
  EXPECT_EQ(readRegister(chip, lowOf(kPin) + 1), 0xff00'0000U);
  writeRegister(chip, 0x03, 1);
  writeRegister(chip, 0x40, 1);
  writeRegister(chip, 0xff, 1);
  EXPECT_EQ(readRegister(chip, 0x03), 0U);
  EXPECT_EQ(readRegister(chip, 0x40), 0U);
  EXPECT_EQ(readRegister(chip, 0xff), 0U);
}

TEST(IoApic, OnlyTheTwoRegistersOfThePageAnswer) {
  IoApicChip chip;
  writeRegister(chip, 0x01, 0);
  EXPECT_EQ(chip.read(kSelect), 1U);
  EXPECT_EQ(chip.read(0x04), 0U);
  EXPECT_EQ(chip.read(0x20), 0U);
  chip.write(0x40, kVector);  // the EOI register of later versions
  EXPECT_EQ(chip.read(kSelect), 1U);
}

TEST(IoApic, AnEdgeIsSentOnceForEachRise) {
  IoApicChip chip;
  EXPECT_EQ(route(chip, kVector), 0U);
  EXPECT_EQ(chip.setLine(kPin, true), kBit);
  sendPin(chip);
  EXPECT_EQ(chip.setLine(kPin, true), 0U);
  EXPECT_EQ(chip.setLine(kPin, false), 0U);
  EXPECT_EQ(chip.setLine(kPin, true), kBit);
}

TEST(IoApic, AMaskedEdgeIsNotSentWhenUnmasked) {
  IoApicChip chip;
  route(chip, kVector | kMasked);
  EXPECT_EQ(chip.setLine(kPin, true), 0U);
  EXPECT_EQ(route(chip, kVector), 0U);
}

TEST(IoApic, MaskedLevelInterruptIsDeliveredWhenUnmasked) {
  IoApicChip chip;
  route(chip, kVector | kLevel | kMasked);
  EXPECT_EQ(chip.setLine(kPin, true), 0U);
  EXPECT_EQ(writeRegister(chip, lowOf(kPin), kVector | kLevel), kBit);
}

TEST(IoApic, ALevelIsSentOnceUntilItsEnd) {
  IoApicChip chip;
  route(chip, kVector | kLevel);
  EXPECT_EQ(chip.setLine(kPin, true), kBit);
  sendPin(chip);
  EXPECT_EQ(readRegister(chip, lowOf(kPin)), kVector | kLevel | kRemoteIrr);
  EXPECT_EQ(chip.setLine(kPin, true), 0U);
  EXPECT_EQ(chip.endOfInterrupt(kVector), kBit);
  EXPECT_EQ(readRegister(chip, lowOf(kPin)), kVector | kLevel);
}

TEST(IoApic, ALevelThatFellIsNotSentAtItsEnd) {
  IoApicChip chip;
  route(chip, kVector | kLevel);
  chip.setLine(kPin, true);
  sendPin(chip);
  chip.setLine(kPin, false);
  EXPECT_EQ(chip.endOfInterrupt(kVector), 0U);
  EXPECT_EQ(chip.setLine(kPin, true), kBit);
}

TEST(IoApic, TheEndOfAnotherVectorEndsNothing) {
  IoApicChip chip;
  route(chip, kVector | kLevel);
  chip.setLine(kPin, true);
  sendPin(chip);
  EXPECT_EQ(chip.endOfInterrupt(kVector + 1), 0U);
  EXPECT_EQ(readRegister(chip, lowOf(kPin)), kVector | kLevel | kRemoteIrr);
}

TEST(IoApic, ALevelThatNobodyTookIsSentAgainWithTheNextWrite) {
  IoApicChip chip;
  route(chip, kVector | kLevel);
  chip.setLine(kPin, true);
  chip.take(kPin);
  EXPECT_EQ(writeRegister(chip, lowOf(kPin), kVector | kLevel), kBit);
}

TEST(IoApic, RemoteIrrFallsWhenThePinBecomesAnEdges) {
  IoApicChip chip;
  route(chip, kVector | kLevel);
  chip.setLine(kPin, true);
  sendPin(chip);
  writeRegister(chip, lowOf(kPin), kVector | kMasked);
  EXPECT_EQ(readRegister(chip, lowOf(kPin)), kVector | kMasked);
  EXPECT_EQ(writeRegister(chip, lowOf(kPin), kVector | kLevel), kBit);
}

TEST(IoApic, TheGuestCannotWriteRemoteIrr) {
  IoApicChip chip;
  route(chip, kVector | kLevel | kRemoteIrr);
  EXPECT_EQ(readRegister(chip, lowOf(kPin)), kVector | kLevel);
}

TEST(IoApic, AMessageCarriesTheEntry) {
  IoApicChip chip;
  route(chip, 1U << 8U | kLogical | kLevel | kVector, 0x0c);
  EXPECT_EQ(chip.take(kPin), (InterruptMessage{.mode = DeliveryMode::lowestPriority,
                                               .vector = kVector,
                                               .trigger = Trigger::level,
                                               .destinationMode = DestinationMode::logical,
                                               .destination = 0x0c}));
}

TEST(IoApic, PinsThatAreNotThereAreNobodys) {
  IoApicChip chip;
  EXPECT_EQ(chip.setLine(24, true), 0U);
  EXPECT_EQ(chip.setLine(0xffff'ffff, true), 0U);
  EXPECT_EQ(chip.save().irr, 0U);
}

TEST(IoApic, ASnapshotHasTheLevelsThatAreUpAndNoEdgeThatWasSent) {
  IoApicChip chip;
  route(chip, kVector | kLevel);
  chip.setLine(kPin, true);
  sendPin(chip);
  writeRegister(chip, lowOf(6), kVector + 1);
  chip.setLine(6, true);
  chip.take(6);
  chip.setLine(7, true);  // a masked edge
  EXPECT_EQ(chip.save().irr, kBit | 1U << 7U);
  EXPECT_EQ(chip.save().redirection[kPin], kVector | kLevel | kRemoteIrr);
}

TEST(IoApic, ASnapshotHasAnEdgeThatCameMaskedAfterOneThatWasSent) {
  IoApicChip chip;
  route(chip, kVector);
  chip.setLine(kPin, true);
  sendPin(chip);
  chip.setLine(kPin, false);
  route(chip, kVector | kMasked);
  chip.setLine(kPin, true);
  EXPECT_EQ(chip.save().irr, kBit);
}

TEST(IoApic, ALoadedLevelIsSentUnlessItWaitsForItsEnd) {
  IoApicChip chip;
  route(chip, kVector | kLevel);
  chip.setLine(kPin, true);
  const IoApic unsent = chip.save();
  sendPin(chip);
  const IoApic sent = chip.save();
  IoApicChip copy;
  EXPECT_EQ(copy.load(unsent), kBit);
  IoApicChip other;
  EXPECT_EQ(other.load(sent), 0U);
  EXPECT_EQ(other.endOfInterrupt(kVector), kBit);
}

TEST(IoApic, SaveLoadSaveGivesTheSame) {
  IoApicChip chip;
  route(chip, kVector | kLevel, 3);
  chip.setLine(kPin, true);
  sendPin(chip);
  chip.setLine(9, true);
  writeRegister(chip, 0x00, 0x0700'0000);
  const IoApic first = chip.save();
  IoApicChip copy;
  copy.load(first);
  EXPECT_EQ(copy.save(), first);
}

}  // namespace
}  // namespace qm::soft
