// Shifts, division, bits, exchange, BMI and hints: what a random differ hits badly or cannot reach.
#include <cstdint>

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/operations/muldiv_arithmetic.h"
#include "vmm/hypervisor/soft/testing/bare_processor.h"

namespace qm::soft {
namespace {

constexpr unsigned kRax = 0, kRcx = 1, kRdx = 2, kRbx = 3, kRsi = 6, kRdi = 7;

TEST(Division, SignedBytesAgreeWithArithmeticOnInts) {
  for (int dividend = -0x8000; dividend < 0x8000; ++dividend) {
    for (int divisor = -0x80; divisor < 0x80; ++divisor) {
      const Double<std::uint8_t> pair{.low = static_cast<std::uint8_t>(dividend),
                                      .high = static_cast<std::uint8_t>(dividend >> 8)};
      const auto result = DivideSigned::apply(pair, static_cast<std::uint8_t>(divisor));
      const bool fits = divisor != 0 && dividend / divisor >= -0x80 && dividend / divisor < 0x80;
      ASSERT_EQ(result.has_value(), fits) << dividend << " / " << divisor;
      if (!fits) continue;
      ASSERT_EQ(static_cast<std::int8_t>(result->quotient), dividend / divisor) << dividend << " / " << divisor;
      ASSERT_EQ(static_cast<std::int8_t>(result->remainder), dividend % divisor) << dividend << " / " << divisor;
    }
  }
}

TEST(Division, TheSmallestQuotientOf64BitsFitsAndItsNegativeDoesNot) {
  constexpr std::uint64_t kMinimum = std::uint64_t{1} << 63U, kMinusOne = ~std::uint64_t{0};
  const Double<std::uint64_t> minimum{.low = kMinimum, .high = kMinusOne};
  ASSERT_TRUE(DivideSigned::apply(minimum, std::uint64_t{1}));
  EXPECT_EQ(DivideSigned::apply(minimum, std::uint64_t{1})->quotient, kMinimum);
  EXPECT_FALSE(DivideSigned::apply(minimum, kMinusOne));
  // The dividend of 128 bits whose negative there is not.
  EXPECT_FALSE(DivideSigned::apply(Double<std::uint64_t>{.low = 0, .high = kMinimum}, kMinimum));
}

TEST(Division, ByZeroRaisesADivideErrorAndChangesNothing) {
  BareProcessor processor;
  processor.gpr(kRax) = 7;
  processor.gpr(kRdx) = 0;
  processor.setCode({0x48, 0xf7, 0xf1});  // div rcx
  ASSERT_EQ(processor.run(), Stop::exception);
  EXPECT_EQ(processor.cpu().fault.exception, Exception::divideError);
  EXPECT_EQ(processor.cpu().rip, BareProcessor::kCode);
  EXPECT_EQ(processor.gpr(kRax), 7U);
}

TEST(Shift, ByZeroWidensARegisterAndKeepsTheFlags) {
  BareProcessor processor;
  processor.gpr(kRax) = 0xffff'ffff'8000'0001;
  processor.gpr(kRcx) = 0x20;  // 32 is 0 to a 32-bit operand
  processor.cpu().flags = statusFromRflags(rflags::kStatus);
  ASSERT_TRUE(processor.finishes({0xd3, 0xe0}));  // shl eax, cl
  EXPECT_EQ(processor.gpr(kRax), 0x8000'0001U);
  EXPECT_EQ(processor.rflags() & rflags::kStatus, rflags::kStatus);
}

TEST(Shift, ByZeroStillFaultsWhereItMayNotWrite) {
  BareProcessor processor;
  processor.setPage(BareProcessor::kData, BareProcessor::Page::readOnly);
  processor.gpr(kRsi) = BareProcessor::kData;
  processor.gpr(kRcx) = 0;
  processor.setCode({0xd3, 0x26});  // shl dword [rsi], cl
  ASSERT_EQ(processor.run(), Stop::exception);
  EXPECT_EQ(processor.cpu().fault.exception, Exception::pageFault);
}

TEST(BitTest, AnOffsetInARegisterReachesBelowTheOperand) {
  BareProcessor processor;
  processor.gpr(kRsi) = BareProcessor::kData + 64;
  processor.gpr(kRax) = static_cast<std::uint64_t>(-65);
  ASSERT_TRUE(processor.finishes({0xf0, 0x48, 0x0f, 0xab, 0x06}));  // lock bts [rsi], rax
  EXPECT_EQ(processor.read<std::uint64_t>(BareProcessor::kData + 48), std::uint64_t{1} << 63U);
  EXPECT_EQ(processor.rflags() & rflags::kCf, 0U);
  ASSERT_TRUE(processor.finishes({0x48, 0x0f, 0xb3, 0x06}));  // btr [rsi], rax
  EXPECT_EQ(processor.read<std::uint64_t>(BareProcessor::kData + 48), 0U);
  EXPECT_NE(processor.rflags() & rflags::kCf, 0U);
}

TEST(BitTest, AnImmediateOffsetStaysInTheOperand) {
  BareProcessor processor;
  processor.gpr(kRsi) = BareProcessor::kData;
  ASSERT_TRUE(processor.finishes({0x0f, 0xba, 0x2e, 0x21}));  // bts dword [rsi], 33
  EXPECT_EQ(processor.read<std::uint64_t>(BareProcessor::kData), 2U);
}

TEST(BitScan, OfZeroLeavesAllOfTheDestination) {
  BareProcessor processor;
  processor.gpr(kRax) = 0x1234'5678'9abc'def0;
  processor.gpr(kRcx) = 0;
  ASSERT_TRUE(processor.finishes({0x0f, 0xbc, 0xc1}));  // bsf eax, ecx
  EXPECT_EQ(processor.gpr(kRax), 0x1234'5678'9abc'def0U);
  EXPECT_NE(processor.rflags() & rflags::kZf, 0U);
}

TEST(CompareExchange, WritesOnlyTheRegisterThatChanges) {
  BareProcessor processor;
  processor.gpr(kRax) = 0xaaaa'aaaa'0000'0001;
  processor.gpr(kRbx) = 0xbbbb'bbbb'0000'0002;
  ASSERT_TRUE(processor.finishes({0x0f, 0xb1, 0xcb}));  // cmpxchg ebx, ecx
  EXPECT_EQ(processor.gpr(kRax), 2U);
  EXPECT_EQ(processor.gpr(kRbx), 0xbbbb'bbbb'0000'0002U);
  processor.gpr(kRax) = 0xaaaa'aaaa'0000'0002;
  processor.gpr(kRcx) = 3;
  ASSERT_TRUE(processor.finishes({0x0f, 0xb1, 0xcb}));
  EXPECT_EQ(processor.gpr(kRax), 0xaaaa'aaaa'0000'0002U);
  EXPECT_EQ(processor.gpr(kRbx), 3U);
}

TEST(CompareExchange, NeedsARightToWriteEvenWhereItFindsADifference) {
  BareProcessor processor;
  processor.setPage(BareProcessor::kData, BareProcessor::Page::readOnly);
  processor.gpr(kRsi) = BareProcessor::kData;
  processor.gpr(kRax) = 1;
  for (const unsigned prefix : {0x3eU, 0xf0U}) {    // none that means anything, and lock
    processor.setCode({prefix, 0x0f, 0xb1, 0x0e});  // cmpxchg [rsi], ecx
    ASSERT_EQ(processor.run(), Stop::exception);
    EXPECT_EQ(processor.cpu().fault.exception, Exception::pageFault);
    EXPECT_EQ(processor.cpu().fault.errorCode, 3U);  // present, write
    EXPECT_EQ(processor.gpr(kRax), 1U);
  }
}

TEST(CompareExchange, LockedIsDoneAcrossCacheLines) {
  BareProcessor processor;
  const std::uint64_t address = BareProcessor::kData + 61;
  processor.write<std::uint32_t>(address, 5);
  processor.gpr(kRsi) = address;
  processor.gpr(kRcx) = 7;
  ASSERT_TRUE(processor.finishes({0xf0, 0x0f, 0xc1, 0x0e}));  // lock xadd [rsi], ecx
  EXPECT_EQ(processor.read<std::uint32_t>(address), 12U);
  EXPECT_EQ(processor.gpr(kRcx), 5U);
}

TEST(CompareExchange, LockedIsDoneAcrossPages) {
  BareProcessor processor;
  const std::uint64_t address = BareProcessor::kData + 4093;
  processor.write<std::uint64_t>(address, 0x1111'2222'3333'4444);
  processor.gpr(kRsi) = address;
  processor.gpr(kRax) = 0x1111'2222'3333'4444;
  processor.gpr(kRcx) = 0x5555'6666'7777'8888;
  ASSERT_TRUE(processor.finishes({0xf0, 0x48, 0x0f, 0xb1, 0x0e}));  // lock cmpxchg [rsi], rcx
  EXPECT_EQ(processor.read<std::uint64_t>(address), 0x5555'6666'7777'8888U);
  EXPECT_NE(processor.rflags() & rflags::kZf, 0U);
}

TEST(CompareExchange, Of16BytesWantsItsAlignment) {
  BareProcessor processor;
  processor.gpr(kRsi) = BareProcessor::kData + 8;
  processor.setCode({0xf0, 0x48, 0x0f, 0xc7, 0x0e});  // lock cmpxchg16b [rsi]
  ASSERT_EQ(processor.run(), Stop::exception);
  EXPECT_EQ(processor.cpu().fault.exception, Exception::generalProtection);
  EXPECT_EQ(processor.cpu().rip, BareProcessor::kCode);
}

TEST(CompareExchange, Of16BytesGivesWhatItFoundOrTakesWhatItIsGiven) {
  BareProcessor processor;
  processor.gpr(kRsi) = BareProcessor::kData;
  processor.write<std::uint64_t>(BareProcessor::kData, 11);
  processor.write<std::uint64_t>(BareProcessor::kData + 8, 22);
  processor.gpr(kRbx) = 33;
  processor.gpr(kRcx) = 44;
  ASSERT_TRUE(processor.finishes({0x48, 0x0f, 0xc7, 0x0e}));  // cmpxchg16b [rsi]
  EXPECT_EQ(processor.gpr(kRax), 11U);
  EXPECT_EQ(processor.gpr(kRdx), 22U);
  EXPECT_EQ(processor.rflags() & rflags::kZf, 0U);
  ASSERT_TRUE(processor.finishes({0xf0, 0x48, 0x0f, 0xc7, 0x0e}));
  EXPECT_EQ(processor.read<std::uint64_t>(BareProcessor::kData), 33U);
  EXPECT_EQ(processor.read<std::uint64_t>(BareProcessor::kData + 8), 44U);
  EXPECT_NE(processor.rflags() & rflags::kZf, 0U);
}

TEST(Bmi, ProductIntoOneRegisterIsItsUpperHalf) {
  BareProcessor processor;
  processor.gpr(kRdx) = std::uint64_t{1} << 63U;
  processor.gpr(kRcx) = 6;
  ASSERT_TRUE(processor.finishes({0xc4, 0xe2, 0xfb, 0xf6, 0xc1}));  // mulx rax, rax, rcx
  EXPECT_EQ(processor.gpr(kRax), 3U);
}

// BEXTR by an immediate is XOP-coded: AMD's TBM, which is offered to nobody.
TEST(Bmi, FieldByImmediateIsNoInstruction) {
  BareProcessor processor;
  processor.setCode({0x8f, 0xea, 0x78, 0x10, 0xc1, 0x04, 0x04, 0x00, 0x00});
  ASSERT_EQ(processor.run(), Stop::exception);
  EXPECT_EQ(processor.cpu().fault.exception, Exception::invalidOpcode);
  EXPECT_EQ(processor.cpu().rip, BareProcessor::kCode);
}

TEST(Hint, NothingIsExecutedAndStillCounted) {
  BareProcessor processor;
  ASSERT_TRUE(processor.finishes({0xf3, 0x0f, 0x1e, 0xfa, 0x90, 0x0f, 0x1f, 0x44, 0x00, 0x00}));  // endbr64; nop; nop
  EXPECT_EQ(processor.cpu().instructions, 3U);
}

TEST(Hint, AFlushedLineMustBeReadable) {
  BareProcessor processor;
  processor.setPage(BareProcessor::kData, BareProcessor::Page::absent);
  processor.gpr(kRsi) = BareProcessor::kData;
  processor.setCode({0x0f, 0xae, 0x3e});  // clflush [rsi]
  ASSERT_EQ(processor.run(), Stop::exception);
  EXPECT_EQ(processor.cpu().fault.exception, Exception::pageFault);
  EXPECT_EQ(processor.cpu().fault.errorCode, 0U);
  processor.setPage(BareProcessor::kData, BareProcessor::Page::readOnly);
  processor.run();
  EXPECT_TRUE(processor.hasFinished());
}

TEST(Hint, RandomNumbersAreTheSameEachTimeWhereTimeIsCountedInInstructions) {
  BareProcessor first(SoftClock::instructions), second(SoftClock::instructions);
  for (BareProcessor* processor : {&first, &second})
    ASSERT_TRUE(processor->finishes({0x48, 0x0f, 0xc7, 0xf0, 0x0f, 0xc7, 0xf9}));  // rdrand rax; rdseed ecx
  EXPECT_EQ(first.gpr(kRax), second.gpr(kRax));
  EXPECT_EQ(first.gpr(kRcx), second.gpr(kRcx));
  EXPECT_NE(first.gpr(kRax), 0U);
  EXPECT_EQ(first.rflags() & rflags::kStatus, rflags::kCf);
}

TEST(Hint, APauseAsksTheSchedulerOnceInAWhile) {
  BareProcessor processor;
  ASSERT_TRUE(processor.finishes({0xf3, 0x90, 0xf3, 0x90, 0xf3, 0x90}));
  EXPECT_EQ(processor.cpu().pauses, 3U);
  processor.cpu().pauses = 62;
  ASSERT_TRUE(processor.finishes({0xf3, 0x90, 0xf3, 0x90, 0xf3, 0x90}));
  EXPECT_EQ(processor.cpu().pauses, 1U);
}

// The instruction is begun again for the device; reading a chip twice would be another read.
TEST(PortIo, AChipsPortIsReadOnceForAnElementThatGoesToADevice) {
  BareProcessor processor;
  processor.setPage(BareProcessor::kBytes, BareProcessor::Page::writable);
  processor.gpr(kRdi) = BareProcessor::kBytes;
  processor.gpr(kRdx) = 0x21;
  ASSERT_TRUE(processor.finishes({0xb0, 0x5a, 0xe6, 0x21}));  // mov al, 0x5a; out 0x21, al
  processor.setCode({0x6c});                                  // insb
  ASSERT_EQ(processor.run(), Stop::device);
  const DeviceAccesses& devices = processor.cpu().devices;
  ASSERT_EQ(devices.done.size(), 1U);
  EXPECT_EQ(devices.done[0].address, 0x21U);
  EXPECT_EQ(devices.wanted->address, BareProcessor::kBytes);
  EXPECT_EQ(devices.wanted->value, 0x5aU);
}

TEST(Hint, XlatIndexesItsTableByAl) {
  BareProcessor processor;
  processor.gpr(kRbx) = BareProcessor::kData;
  processor.gpr(kRax) = 0xffff'ff80;
  processor.write<std::uint8_t>(BareProcessor::kData + 0x80, 0x5a);
  ASSERT_TRUE(processor.finishes({0xd7}));
  EXPECT_EQ(processor.gpr(kRax), 0xffff'ff5aU);
}

}  // namespace
}  // namespace qm::soft
