// SSE: exceptions that the guest lets through, faults, and each immediate of what is done by tables. Everything else is
// compared with the host's CPU (tests/differ).
#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/testing/bare_processor.h"

namespace qm::soft {
namespace {

constexpr unsigned kRax = 0, kRcx = 1, kRdx = 2, kRdi = 7;
constexpr std::uint32_t kAllMasked = 0x1f80, kMasks = 0x1f80;
constexpr std::uint32_t kInvalid = 0x01, kDivideByZero = 0x04, kOverflow = 0x08, kUnderflow = 0x10, kPrecision = 0x20;

using Bytes = std::array<std::uint8_t, 16>;
using Singles = std::array<float, 4>;

template <class T>
void setXmm(BareProcessor& processor, unsigned number, T value) {
  processor.cpu().ymm[number].low = std::bit_cast<Vector>(value);
}
template <class T>
T xmm(BareProcessor& processor, unsigned number) {
  return std::bit_cast<T>(processor.cpu().ymm[number].low);
}

void setMxcsr(BareProcessor& processor, std::uint32_t value) {
  processor.cpu().mxcsr = value;
  processor.cpu().simdUnmasked = (~value & kMasks) != 0;
}
// MXCSR that lets these exceptions through.
constexpr std::uint32_t lettingThrough(std::uint32_t exceptions) {
  return kAllMasked & ~(exceptions << 7U);
}

std::uint32_t flagsOf(BareProcessor& processor) {
  return processor.cpu().mxcsr & 0x3fU;
}

void expectFault(BareProcessor& processor, Exception exception) {
  EXPECT_EQ(processor.cpu().stop, Stop::exception);
  EXPECT_EQ(processor.cpu().fault.exception, exception);
  EXPECT_EQ(processor.cpu().fault.errorCode, 0U);
  EXPECT_EQ(processor.cpu().rip, BareProcessor::kCode);
}

// Counts up, so that each byte tells where it came from.
Bytes counting(unsigned from) {
  Bytes bytes{};
  for (unsigned i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(from + i);
  return bytes;
}

constexpr float kSmallestNormal = 0x1p-126F, kLargePower = 0x1p127F;

// ---- exceptions

TEST(SseExceptions, MaskedDivisionByZeroGivesInfinityAndAFlag) {
  BareProcessor processor;
  setXmm(processor, 0, Singles{1, 2, 3, 4});
  setXmm(processor, 1, Singles{0, 1, 1, 1});
  ASSERT_TRUE(processor.finishes({0x0f, 0x5e, 0xc1}));  // divps xmm0, xmm1
  EXPECT_EQ(xmm<Singles>(processor, 0), (Singles{std::numeric_limits<float>::infinity(), 2, 3, 4}));
  EXPECT_EQ(flagsOf(processor), kDivideByZero);
}

TEST(SseExceptions, DivisionByZeroThatIsLetThroughLeavesTheDestination) {
  BareProcessor processor;
  setMxcsr(processor, lettingThrough(kDivideByZero));
  setXmm(processor, 0, Singles{1, 2, 3, 4});
  setXmm(processor, 1, Singles{0, 3, 1, 1});  // 2 / 3 would be inexact, but comes too late
  processor.setCode({0x0f, 0x5e, 0xc1});      // divps xmm0, xmm1
  processor.run();
  expectFault(processor, Exception::simdFloatingPoint);
  EXPECT_EQ(xmm<Singles>(processor, 0), (Singles{1, 2, 3, 4}));
  EXPECT_EQ(flagsOf(processor), kDivideByZero);
}

TEST(SseExceptions, AreInvalidOpcodesToAnOperatingSystemThatDoesNotExpectThem) {
  BareProcessor processor;
  processor.cpu().system.cr4 &= ~cr4::kOsxmmexcpt;
  setMxcsr(processor, lettingThrough(kDivideByZero));
  setXmm(processor, 0, Singles{1, 1, 1, 1});
  processor.setCode({0x0f, 0x5e, 0xc1});  // divps xmm0, xmm1
  processor.run();
  expectFault(processor, Exception::invalidOpcode);
}

TEST(SseExceptions, FlagsFromBeforeRaiseNothing) {
  BareProcessor processor;
  setMxcsr(processor, lettingThrough(kDivideByZero) | kDivideByZero);
  setXmm(processor, 0, Singles{1, 1, 1, 1});
  setXmm(processor, 1, Singles{2, 2, 2, 2});
  ASSERT_TRUE(processor.finishes({0x0f, 0x5e, 0xc1}));  // divps xmm0, xmm1
  EXPECT_EQ(xmm<Singles>(processor, 0), (Singles{0.5, 0.5, 0.5, 0.5}));
}

TEST(SseExceptions, AnUnderflowThatIsLetThroughComesOfExactResultsToo) {
  BareProcessor processor;
  setXmm(processor, 0, Singles{kSmallestNormal, 1, 1, 1});
  setXmm(processor, 1, Singles{0.5, 1, 1, 1});
  ASSERT_TRUE(processor.finishes({0x0f, 0x59, 0xc1}));  // mulps xmm0, xmm1
  EXPECT_EQ(flagsOf(processor), 0U);
  setMxcsr(processor, lettingThrough(kUnderflow));
  setXmm(processor, 0, Singles{kSmallestNormal, 1, 1, 1});
  processor.setCode({0x0f, 0x59, 0xc1});
  processor.run();
  expectFault(processor, Exception::simdFloatingPoint);
  EXPECT_EQ(flagsOf(processor), kUnderflow);
}

TEST(SseExceptions, AnUnderflowThatIsLetThroughIsInexactOnlyWithoutAnEndOfExponents) {
  BareProcessor processor;
  setMxcsr(processor, lettingThrough(kUnderflow));
  // Too fine for a denormal, but 24 digits are enough.
  setXmm(processor, 0, Singles{kSmallestNormal * 1.5F, 0, 0, 0});
  setXmm(processor, 1, Singles{0x1p-23F, 0, 0, 0});
  processor.setCode({0xf3, 0x0f, 0x59, 0xc1});  // mulss xmm0, xmm1
  processor.run();
  expectFault(processor, Exception::simdFloatingPoint);
  EXPECT_EQ(flagsOf(processor), kUnderflow);
  // More than 24 digits.
  setMxcsr(processor, lettingThrough(kUnderflow));
  setXmm(processor, 0, Singles{kSmallestNormal * 1.0000001F, 0, 0, 0});
  setXmm(processor, 1, Singles{0.25F * 1.0000001F, 0, 0, 0});
  processor.setCode({0xf3, 0x0f, 0x59, 0xc1});
  processor.run();
  expectFault(processor, Exception::simdFloatingPoint);
  EXPECT_EQ(flagsOf(processor), kUnderflow | kPrecision);
}

TEST(SseExceptions, AnOverflowThatIsLetThroughMayBeExact) {
  BareProcessor processor;
  setXmm(processor, 0, Singles{kLargePower, 1, 1, 1});
  ASSERT_TRUE(processor.finishes({0x0f, 0x58, 0xc0}));  // addps xmm0, xmm0
  EXPECT_EQ(flagsOf(processor), kOverflow | kPrecision);
  setMxcsr(processor, lettingThrough(kOverflow));
  setXmm(processor, 0, Singles{kLargePower, 1, 1, 1});
  processor.setCode({0x0f, 0x58, 0xc0});
  processor.run();
  expectFault(processor, Exception::simdFloatingPoint);
  EXPECT_EQ(flagsOf(processor), kOverflow);
}

TEST(SseExceptions, InPairsTheLanesBesideAnUnderflowKeepTheirFlags) {
  BareProcessor processor;
  setMxcsr(processor, lettingThrough(kUnderflow));
  setXmm(processor, 0, Singles{kSmallestNormal * 1.5F, -kSmallestNormal, 1, 1});  // the first pair's sum is tiny
  setXmm(processor, 1, Singles{1, 1, 0x1p30F, 1});                                // the last one's inexact
  processor.setCode({0xf2, 0x0f, 0x7c, 0xc1});                                    // haddps xmm0, xmm1
  processor.run();
  expectFault(processor, Exception::simdFloatingPoint);
  EXPECT_EQ(flagsOf(processor), kUnderflow | kPrecision);
}

TEST(SseExceptions, ADotProductWhoseFactorsRaiseNeverComesToItsSums) {
  BareProcessor processor;
  setMxcsr(processor, lettingThrough(kInvalid | kPrecision));
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  setXmm(processor, 0, Singles{kInfinity, 0x1p30F, 1, 1});
  setXmm(processor, 1, Singles{0, 1, 1, 1});
  processor.setCode({0x66, 0x0f, 0x3a, 0x40, 0xc1, 0xe1});  // dpps xmm0, xmm1: but for the first lane
  processor.run();
  expectFault(processor, Exception::simdFloatingPoint);
  EXPECT_EQ(flagsOf(processor), kPrecision);
  setMxcsr(processor, lettingThrough(kInvalid | kPrecision));
  processor.setCode({0x66, 0x0f, 0x3a, 0x40, 0xc1, 0xf1});  // with it
  processor.run();
  expectFault(processor, Exception::simdFloatingPoint);
  EXPECT_EQ(flagsOf(processor), kInvalid);
}

// ---- MXCSR

TEST(Mxcsr, ReservedBitsAreRefused) {
  BareProcessor processor;
  processor.gpr(kRdi) = BareProcessor::kData;
  processor.write<std::uint32_t>(BareProcessor::kData, 0x1'1f80);
  processor.setCode({0x0f, 0xae, 0x17});  // ldmxcsr [rdi]
  processor.run();
  expectFault(processor, Exception::generalProtection);
  EXPECT_EQ(processor.cpu().mxcsr, kAllMasked);
}

TEST(Mxcsr, IsReadWithTheFlagsThatHaveCollected) {
  BareProcessor processor;
  processor.gpr(kRdi) = BareProcessor::kData;
  processor.write<std::uint32_t>(BareProcessor::kData, 0x7f80);  // toward zero
  setXmm(processor, 0, Singles{2, 0, 0, 0});
  setXmm(processor, 1, Singles{3, 0, 0, 0});
  ASSERT_TRUE(processor.finishes({0x0f, 0xae, 0x17,           // ldmxcsr [rdi]
                                  0xf3, 0x0f, 0x5e, 0xc1,     // divss xmm0, xmm1
                                  0x0f, 0xae, 0x5f, 0x04}));  // stmxcsr [rdi + 4]
  EXPECT_EQ(processor.read<std::uint32_t>(BareProcessor::kData + 4), 0x7f80 | kPrecision);
  EXPECT_EQ(std::bit_cast<std::uint32_t>(xmm<Singles>(processor, 0)[0]), 0x3f2a'aaaaU);
}

TEST(Mxcsr, GetsNoFlagFromTheCpusOwnArithmetic) {
  BareProcessor processor;
  // A block each, decoded on the way from the one before; the tables that hold them grow.
  constexpr unsigned kJumps = 900;
  for (unsigned i = 0; i < kJumps; ++i) processor.write<std::uint16_t>(BareProcessor::kCode + 2 * i, 0x00eb);
  processor.setCode({0x90}, BareProcessor::kCode + std::uint64_t{2} * kJumps);
  processor.cpu().rip = BareProcessor::kCode;
  processor.run();
  ASSERT_TRUE(processor.hasFinished());
  EXPECT_EQ(processor.cpu().mxcsr, kAllMasked);
}

TEST(Mxcsr, AndConversionsFromMemoryNeedTheUnitThoughTheyNameNoRegisterOfIt) {
  BareProcessor processor;
  processor.gpr(kRdi) = BareProcessor::kData;
  processor.cpu().system.cr0 |= cr0::kTs;
  modeChanged(processor.cpu());
  processor.setCode({0x0f, 0xae, 0x17});  // ldmxcsr [rdi]
  processor.run();
  expectFault(processor, Exception::deviceNotAvailable);
  processor.setCode({0xf3, 0x0f, 0x2d, 0x07});  // cvtss2si eax, [rdi]
  processor.run();
  expectFault(processor, Exception::deviceNotAvailable);
  processor.cpu().system.cr4 &= ~cr4::kOsfxsr;
  modeChanged(processor.cpu());
  processor.setCode({0xf3, 0x0f, 0x2d, 0x07});
  processor.run();
  expectFault(processor, Exception::invalidOpcode);
}

// ---- memory

TEST(SseMemory, MustBeAlignedWhereTheManualSaysSo) {
  BareProcessor processor;
  processor.gpr(kRdi) = BareProcessor::kData + 8;
  processor.setPage(BareProcessor::kData, BareProcessor::Page::absent);  // alignment comes first
  for (const unsigned opcode : {0x28U, 0x29U, 0x58U}) {                  // movaps both ways, addps
    processor.setCode({0x0f, opcode, 0x07});
    processor.run();
    expectFault(processor, Exception::generalProtection);
  }
  processor.setPage(BareProcessor::kData, BareProcessor::Page::writable);
  EXPECT_TRUE(processor.finishes({0x0f, 0x10, 0x07}));        // movups xmm0, [rdi]
  EXPECT_TRUE(processor.finishes({0xf3, 0x0f, 0x58, 0x07}));  // addss xmm0, [rdi]
}

TEST(SseMemory, AnUnalignedStoreThatFaultsInItsSecondPageLeavesTheFirst) {
  BareProcessor processor;
  constexpr std::uint64_t kEnd = BareProcessor::kData + 0x1000;
  processor.gpr(kRdi) = kEnd - 8;
  setXmm(processor, 0, counting(1));
  processor.setPage(kEnd, BareProcessor::Page::readOnly);
  processor.setCode({0x0f, 0x11, 0x07});  // movups [rdi], xmm0
  ASSERT_EQ(processor.run(), Stop::exception);
  EXPECT_EQ(processor.cpu().fault.exception, Exception::pageFault);
  EXPECT_EQ(processor.cpu().fault.address, kEnd);
  EXPECT_EQ(processor.read<std::uint64_t>(kEnd - 8), 0U);
}

TEST(SseMemory, AMaskedStoreWritesWhatIsSelectedAndNoMore) {
  BareProcessor processor;
  processor.gpr(kRdi) = BareProcessor::kData + 3;
  setXmm(processor, 0, counting(1));
  Bytes mask{};
  mask[0] = mask[5] = mask[15] = 0x80;
  mask[7] = 0x7f;
  setXmm(processor, 1, mask);
  ASSERT_TRUE(processor.finishes({0x66, 0x0f, 0xf7, 0xc1}));  // maskmovdqu xmm0, xmm1
  for (unsigned i = 0; i < 16; ++i)
    EXPECT_EQ(processor.read<std::uint8_t>(BareProcessor::kData + 3 + i), i == 0 || i == 5 || i == 15 ? i + 1 : 0);
}

TEST(SseMemory, WithASibByteThatHasNoBaseIsWhereTheDisplacementSays) {
  BareProcessor processor;
  processor.gpr(13) = 0x1000;
  processor.gpr(kRdx) = 4;
  processor.write<std::uint32_t>(BareProcessor::kData + 4, 0x1234'5678);
  // mov eax, [edx + 0x20000] with REX.B, which is nobody's
  ASSERT_TRUE(processor.finishes({0x67, 0x41, 0x8b, 0x04, 0x15, 0x00, 0x00, 0x02, 0x00}));
  EXPECT_EQ(processor.gpr(kRax), 0x1234'5678U);
}

// ---- each immediate

using Expect = Bytes (*)(const Bytes& a, const Bytes& b, unsigned immediate);

// Runs `opcode` xmm0, xmm1, immediate for all 256 immediates.
void expectEachImmediate(std::initializer_list<unsigned> opcode, Expect expect) {
  const Bytes a = counting(0x10), b = counting(0xa0);
  for (unsigned immediate = 0; immediate < 256; ++immediate) {
    BareProcessor processor;
    setXmm(processor, 0, a);
    setXmm(processor, 1, b);
    std::array<unsigned, 6> code{};
    std::ranges::copy(opcode, code.begin());
    code[opcode.size()] = 0xc1;
    code[opcode.size() + 1] = immediate;
    const bool isShort = opcode.size() == 2;
    ASSERT_TRUE(isShort              ? processor.finishes({code[0], code[1], code[2], code[3]})
                : opcode.size() == 3 ? processor.finishes({code[0], code[1], code[2], code[3], code[4]})
                                     : processor.finishes({code[0], code[1], code[2], code[3], code[4], code[5]}));
    ASSERT_EQ(xmm<Bytes>(processor, 0), expect(a, b, immediate)) << immediate;
  }
}

TEST(SseImmediates, ChooseEachDwordOfPshufd) {
  expectEachImmediate({0x66, 0x0f, 0x70}, [](const Bytes& /*a*/, const Bytes& b, unsigned immediate) {
    Bytes result{};
    for (unsigned i = 0; i < 16; ++i) result[i] = b[(immediate >> 2 * (i / 4) & 3U) * 4 + i % 4];
    return result;
  });
}

TEST(SseImmediates, ChooseEachWordOfPshuflwAndPshufhw) {
  expectEachImmediate({0xf2, 0x0f, 0x70}, [](const Bytes& /*a*/, const Bytes& b, unsigned immediate) {
    Bytes result = b;
    for (unsigned i = 0; i < 8; ++i) result[i] = b[(immediate >> 2 * (i / 2) & 3U) * 2 + i % 2];
    return result;
  });
  expectEachImmediate({0xf3, 0x0f, 0x70}, [](const Bytes& /*a*/, const Bytes& b, unsigned immediate) {
    Bytes result = b;
    for (unsigned i = 0; i < 8; ++i) result[8 + i] = b[8 + (immediate >> 2 * (i / 2) & 3U) * 2 + i % 2];
    return result;
  });
}

TEST(SseImmediates, ChooseTwoLanesOfEachOperandOfShufps) {
  expectEachImmediate({0x0f, 0xc6}, [](const Bytes& a, const Bytes& b, unsigned immediate) {
    Bytes result{};
    for (unsigned i = 0; i < 16; ++i) result[i] = (i < 8 ? a : b)[(immediate >> 2 * (i / 4) & 3U) * 4 + i % 4];
    return result;
  });
}

TEST(SseImmediates, CountTheBytesOfPalignr) {
  expectEachImmediate({0x66, 0x0f, 0x3a, 0x0f}, [](const Bytes& a, const Bytes& b, unsigned immediate) {
    Bytes result{};
    for (unsigned i = 0; i < 16; ++i) {
      const unsigned from = immediate + i;
      if (from < 32) result[i] = from < 16 ? b[from] : a[from - 16];
    }
    return result;
  });
}

TEST(SseImmediates, ChooseTheWordsOfPblendw) {
  expectEachImmediate({0x66, 0x0f, 0x3a, 0x0e}, [](const Bytes& a, const Bytes& b, unsigned immediate) {
    Bytes result = a;
    for (unsigned i = 0; i < 16; ++i) {
      if ((immediate >> i / 2 & 1U) != 0) result[i] = b[i];
    }
    return result;
  });
}

TEST(SseImmediates, PlaceAndClearTheLanesOfInsertps) {
  expectEachImmediate({0x66, 0x0f, 0x3a, 0x21}, [](const Bytes& a, const Bytes& b, unsigned immediate) {
    Bytes result = a;
    for (unsigned i = 0; i < 4; ++i) result[(immediate >> 4U & 3U) * 4 + i] = b[(immediate >> 6U) * 4 + i];
    for (unsigned i = 0; i < 16; ++i) {
      if ((immediate >> i / 4 & 1U) != 0) result[i] = 0;
    }
    return result;
  });
}

TEST(SseImmediates, PlaceTheBlocksOfMpsadbw) {
  expectEachImmediate({0x66, 0x0f, 0x3a, 0x42}, [](const Bytes& a, const Bytes& b, unsigned immediate) {
    std::array<std::uint16_t, 8> sums{};
    const unsigned first = (immediate >> 2U & 1U) * 4, block = (immediate & 3U) * 4;
    for (unsigned i = 0; i < sums.size(); ++i) {
      for (unsigned j = 0; j < 4; ++j)
        sums[i] = static_cast<std::uint16_t>(sums[i] + std::abs(int{a[first + i + j]} - int{b[block + j]}));
    }
    return std::bit_cast<Bytes>(sums);
  });
}

// ---- string comparisons

TEST(SseStrings, TakeTheAbsoluteValueOfALengthAndNoMoreThanFits) {
  BareProcessor processor;
  setXmm(processor, 0, counting(1));
  setXmm(processor, 1, counting(1));
  processor.gpr(kRax) = 0x8000'0000'0000'0000;  // its own negative
  processor.gpr(kRdx) = static_cast<std::uint64_t>(-3);
  // pcmpestri rax, rdx: equal each; the first byte at which they differ is where the shorter ends
  ASSERT_TRUE(processor.finishes({0x66, 0x48, 0x0f, 0x3a, 0x61, 0xc1, 0x18}));
  EXPECT_EQ(processor.gpr(kRcx), 3U);
  // Without REX.W the same rax is a length of 0: that of eax.
  ASSERT_TRUE(processor.finishes({0x66, 0x0f, 0x3a, 0x61, 0xc1, 0x18}));
  EXPECT_EQ(processor.gpr(kRcx), 0U);
}

TEST(SseStrings, WidenAMaskToTheElements) {
  BareProcessor processor;
  setXmm(processor, 1, Bytes{'x'});
  setXmm(processor, 2, Bytes{'a', 'x', 'b', 'x'});
  ASSERT_TRUE(processor.finishes({0x66, 0x0f, 0x3a, 0x62, 0xca, 0x40}));  // pcmpistrm xmm1, xmm2: any of, bytes
  EXPECT_EQ(xmm<Bytes>(processor, 0), (Bytes{0, 0xff, 0, 0xff}));
  ASSERT_TRUE(processor.finishes({0x66, 0x0f, 0x3a, 0x62, 0xca, 0x00}));  // as bits
  EXPECT_EQ(xmm<Bytes>(processor, 0), (Bytes{0x0a}));
  ASSERT_TRUE(processor.finishes({0x66, 0x0f, 0x3a, 0x63, 0xca, 0x40}));  // pcmpistri: the highest
  EXPECT_EQ(processor.gpr(kRcx), 3U);
}

}  // namespace
}  // namespace qm::soft
