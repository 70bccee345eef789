#include "vmm/hypervisor/soft/operations/string.h"

#include <algorithm>
#include <numeric>
#include <vector>

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/testing/bare_processor.h"

namespace qm::soft {
namespace {

constexpr unsigned kRax = 0, kRcx = 1, kRsi = 6, kRdi = 7;
constexpr std::uint64_t kFrom = BareProcessor::kData, kTo = BareProcessor::kData + 0x8000;

class StringTest : public testing::Test {
 protected:
  // Bytes that differ from their neighbours.
  void fillSource(std::uint64_t at, std::size_t bytes) {
    std::ranges::generate(processor_.memory(at, bytes),
                          [value = 0U]() mutable { return static_cast<std::byte>(value++ * 7 + 1); });
  }
  std::vector<std::byte> copyOf(std::uint64_t at, std::size_t bytes) {
    const auto span = processor_.memory(at, bytes);
    return {span.begin(), span.end()};
  }
  void aim(std::uint64_t from, std::uint64_t to, std::uint64_t count) {
    processor_.gpr(kRsi) = from;
    processor_.gpr(kRdi) = to;
    processor_.gpr(kRcx) = count;
  }

  BareProcessor processor_;
};

TEST_F(StringTest, RepeatedMoveCopiesAcrossPagesAtAnyAlignment) {
  fillSource(kFrom + 3, 16'000);
  aim(kFrom + 3, kTo + 1021, 2000);
  ASSERT_TRUE(processor_.finishes({0xf3, 0x48, 0xa5}));  // rep movsq
  EXPECT_EQ(copyOf(kTo + 1021, 16'000), copyOf(kFrom + 3, 16'000));
  EXPECT_EQ(processor_.read<std::uint8_t>(kTo + 1021 + 16'000), 0);
  EXPECT_EQ(processor_.gpr(kRcx), 0U);
  EXPECT_EQ(processor_.gpr(kRsi), kFrom + 3 + 16'000);
  EXPECT_EQ(processor_.gpr(kRdi), kTo + 1021 + 16'000);
}

TEST_F(StringTest, MoveOntoItsOwnTailRepeatsThePattern) {
  processor_.write<std::uint32_t>(kFrom, 0x0403'0201);
  aim(kFrom, kFrom + 3, 100);
  ASSERT_TRUE(processor_.finishes({0xf3, 0xa4}));  // rep movsb
  for (std::uint64_t i = 0; i < 100; ++i) EXPECT_EQ(processor_.read<std::uint8_t>(kFrom + 3 + i), 1 + i % 3) << i;
}

TEST_F(StringTest, MoveDownwardsOntoItselfReadsBeforeItWrites) {
  fillSource(kFrom, 5000);
  const std::vector<std::byte> before = copyOf(kFrom + 5, 4000);
  aim(kFrom + 5, kFrom, 1000);
  ASSERT_TRUE(processor_.finishes({0xf3, 0xa5}));  // rep movsd
  EXPECT_EQ(copyOf(kFrom, 4000), before);
}

TEST_F(StringTest, BackwardMoveGoesDownFromTheLastElement) {
  fillSource(kFrom, 6000);
  aim(kFrom + 5992, kTo + 5992, 750);
  ASSERT_TRUE(processor_.finishes({0xfd, 0xf3, 0x48, 0xa5, 0xfc}));  // std; rep movsq; cld
  EXPECT_EQ(copyOf(kTo, 6000), copyOf(kFrom, 6000));
  EXPECT_EQ(processor_.gpr(kRdi), kTo - 8);
}

TEST_F(StringTest, RepeatedStoreFillsWithEveryByteOfItsElement) {
  processor_.gpr(kRax) = 0x1122'3344'5566'7788;
  aim(0, kTo + 4, 3000);
  ASSERT_TRUE(processor_.finishes({0xf3, 0x66, 0xab}));  // rep stosw
  for (std::uint64_t i = 0; i < 3000; ++i) ASSERT_EQ(processor_.read<std::uint16_t>(kTo + 4 + 2 * i), 0x7788) << i;
  EXPECT_EQ(processor_.read<std::uint16_t>(kTo + 4 + 6000), 0);
}

TEST_F(StringTest, AFaultInTheMiddleLeavesTheElementsBeforeItDone) {
  fillSource(kFrom, 8192);
  processor_.setPage(kTo + 4096, BareProcessor::Page::absent);
  aim(kFrom, kTo, 8192 / 4);
  processor_.setCode({0xf3, 0xa5});  // rep movsd
  ASSERT_EQ(processor_.run(), Stop::exception);
  EXPECT_EQ(processor_.cpu().fault.exception, Exception::pageFault);
  EXPECT_EQ(processor_.cpu().fault.address, kTo + 4096);
  EXPECT_EQ(processor_.cpu().rip, BareProcessor::kCode);
  EXPECT_EQ(processor_.gpr(kRcx), 1024U);
  EXPECT_EQ(processor_.gpr(kRsi), kFrom + 4096);
  EXPECT_EQ(processor_.gpr(kRdi), kTo + 4096);

  processor_.setPage(kTo + 4096, BareProcessor::Page::writable);
  processor_.run();
  EXPECT_TRUE(processor_.hasFinished());
  EXPECT_EQ(copyOf(kTo, 8192), copyOf(kFrom, 8192));
}

TEST_F(StringTest, AnElementThatReachesIntoAnAbsentPageIsNotBegun) {
  fillSource(kFrom, 64);
  processor_.setPage(kTo + 4096, BareProcessor::Page::absent);
  aim(kFrom, kTo + 4096 - 20, 8);
  processor_.setCode({0xf3, 0x48, 0xa5});  // rep movsq
  ASSERT_EQ(processor_.run(), Stop::exception);
  EXPECT_EQ(processor_.cpu().fault.address, kTo + 4096);
  EXPECT_EQ(processor_.gpr(kRcx), 6U);
  EXPECT_EQ(processor_.read<std::uint32_t>(kTo + 4096 - 4), 0U);
}

TEST_F(StringTest, AFaultingComparisonKeepsTheFlags) {
  processor_.setPage(kTo + 4096, BareProcessor::Page::absent);
  aim(kFrom, kTo + 4090, 100);
  processor_.cpu().flags = statusFromRflags(rflags::kCf | rflags::kOf);
  processor_.setCode({0xf3, 0xa6});  // repe cmpsb
  ASSERT_EQ(processor_.run(), Stop::exception);
  EXPECT_EQ(processor_.gpr(kRcx), 94U);
  EXPECT_EQ(processor_.rflags() & rflags::kStatus, rflags::kCf | rflags::kOf);
}

TEST_F(StringTest, AttentionInterruptsARepeatThatGoesOnLater) {
  fillSource(kFrom, 20'000);
  aim(kFrom, kTo, 20'000);
  processor_.setCode({0xf3, 0xa4});  // rep movsb
  processor_.cpu().attention = true;
  ASSERT_EQ(processor_.run(), Stop::attention);
  EXPECT_EQ(processor_.cpu().rip, BareProcessor::kCode);
  EXPECT_GT(processor_.gpr(kRcx), 0U);
  EXPECT_LT(processor_.gpr(kRcx), 20'000U);
  EXPECT_EQ(processor_.gpr(kRsi), kFrom + 20'000 - processor_.gpr(kRcx));

  processor_.cpu().attention = false;
  processor_.run();
  EXPECT_TRUE(processor_.hasFinished());
  EXPECT_EQ(copyOf(kTo, 20'000), copyOf(kFrom, 20'000));
}

TEST_F(StringTest, ARepeatCountsAsOneInstructionHoweverOftenItIsInterrupted) {
  fillSource(kFrom, 20'000);
  aim(kFrom, kTo, 20'000);
  processor_.setCode({0xf3, 0xa4});  // rep movsb
  const std::uint64_t before = processor_.cpu().instructions;
  processor_.cpu().attention = true;
  ASSERT_EQ(processor_.run(), Stop::attention);
  EXPECT_EQ(processor_.cpu().instructions, before);
  processor_.cpu().attention = false;
  processor_.run();
  ASSERT_TRUE(processor_.hasFinished());
  const std::uint64_t interrupted = processor_.cpu().instructions - before;

  aim(kFrom, kTo, 20'000);
  processor_.setCode({0xf3, 0xa4});
  processor_.run();
  ASSERT_TRUE(processor_.hasFinished());
  EXPECT_EQ(processor_.cpu().instructions - before - interrupted, interrupted);
}

TEST_F(StringTest, ALongRepeatAsksForALookAtTheClock) {
  aim(0, kTo, 128 << 10);
  processor_.setCode({0xf3, 0xaa});  // rep stosb
  ASSERT_EQ(processor_.run(), Stop::attention);
  EXPECT_TRUE(processor_.cpu().attention);
  EXPECT_GT(processor_.gpr(kRcx), 0U);
}

TEST_F(StringTest, ByItselfARepeatDoesOneElement) {
  fillSource(kFrom, 16);
  aim(kFrom, kTo, 2);
  processor_.setCode({0xf3, 0x48, 0xa5});  // rep movsq
  processor_.step();
  EXPECT_EQ(processor_.cpu().rip, BareProcessor::kCode);
  EXPECT_EQ(processor_.gpr(kRcx), 1U);
  EXPECT_EQ(processor_.gpr(kRdi), kTo + 8);
  processor_.step();
  EXPECT_EQ(processor_.cpu().rip, processor_.end());
  EXPECT_EQ(processor_.gpr(kRcx), 0U);
}

TEST_F(StringTest, ComparisonEndsWithTheFirstDifference) {
  fillSource(kFrom, 9000);
  fillSource(kTo, 9000);
  processor_.write<std::uint8_t>(kTo + 8500, 0xff);
  aim(kFrom, kTo, 9000);
  ASSERT_TRUE(processor_.finishes({0xf3, 0xa6}));  // repe cmpsb
  EXPECT_EQ(processor_.gpr(kRcx), 9000U - 8501U);
  EXPECT_EQ(processor_.gpr(kRdi), kTo + 8501);
  EXPECT_EQ(processor_.rflags() & rflags::kZf, 0U);
  EXPECT_NE(processor_.rflags() & rflags::kCf, 0U);  // 0x5d below 0xff
}

TEST_F(StringTest, ScanFindsAByteBeyondThePage) {
  processor_.write<std::uint8_t>(kTo + 5000, 0x2a);
  processor_.gpr(kRax) = 0x2a;
  aim(0, kTo, ~std::uint64_t{0});
  ASSERT_TRUE(processor_.finishes({0xf2, 0xae}));  // repne scasb
  EXPECT_EQ(processor_.gpr(kRdi), kTo + 5001);
  EXPECT_NE(processor_.rflags() & rflags::kZf, 0U);
}

TEST_F(StringTest, ACountOfZeroChangesNeitherFlagsNorPointers) {
  aim(0xdead'0000'0000'0000, 0xbeef'0000'0000'0000, 0);
  processor_.cpu().flags = statusFromRflags(rflags::kStatus);
  ASSERT_TRUE(processor_.finishes({0xf3, 0xa6}));  // repe cmpsb
  EXPECT_EQ(processor_.gpr(kRdi), 0xbeef'0000'0000'0000);
  EXPECT_EQ(processor_.rflags() & rflags::kStatus, rflags::kStatus);
}

TEST_F(StringTest, ThirtyTwoBitAddressesAreCutAndWidenTheirRegisters) {
  fillSource(kFrom, 64);
  aim(0xffff'ffff'0000'0000 | kFrom, 0xffff'ffff'0000'0000 | kTo, 0xffff'ffff'0000'0010);
  ASSERT_TRUE(processor_.finishes({0x67, 0xf3, 0xa5}));  // addr32 rep movsd
  EXPECT_EQ(copyOf(kTo, 64), copyOf(kFrom, 64));
  EXPECT_EQ(processor_.gpr(kRsi), kFrom + 64);
  EXPECT_EQ(processor_.gpr(kRdi), kTo + 64);
  EXPECT_EQ(processor_.gpr(kRcx), 0U);
}

TEST_F(StringTest, AFaultingMoveHasWidenedItsRegisters) {
  processor_.setPage(kTo, BareProcessor::Page::absent);
  aim(0xffff'ffff'0000'0000 | kFrom, 0xffff'ffff'0000'0000 | kTo, 0xffff'ffff'0000'0010);
  processor_.setCode({0x67, 0xf3, 0xa5});  // addr32 rep movsd
  ASSERT_EQ(processor_.run(), Stop::exception);
  EXPECT_EQ(processor_.gpr(kRsi), kFrom);
  EXPECT_EQ(processor_.gpr(kRdi), kTo);
  EXPECT_EQ(processor_.gpr(kRcx), 0x10U);
}

TEST_F(StringTest, OfTwoFaultsOfAComparisonTheSecondOperandsIsRaised) {
  processor_.setPage(kFrom, BareProcessor::Page::absent);
  processor_.setPage(kTo, BareProcessor::Page::absent);
  aim(kFrom, kTo, 1);
  processor_.setCode({0xa6});  // cmpsb
  ASSERT_EQ(processor_.run(), Stop::exception);
  EXPECT_EQ(processor_.cpu().fault.address, kTo);
}

TEST_F(StringTest, TheSourceMayLieInASegmentWithABase) {
  fillSource(kFrom, 16);
  processor_.cpu().segmentBase[static_cast<std::size_t>(SegmentName::fs)] = kFrom;
  aim(0, kTo, 2);
  ASSERT_TRUE(processor_.finishes({0x64, 0xf3, 0x48, 0xa5}));  // rep movsq fs:
  EXPECT_EQ(copyOf(kTo, 16), copyOf(kFrom, 16));
}

// The bytes behind are decoded with it, and replaced by it.
TEST_F(StringTest, ARepeatThatOverwritesTheCodeBehindItRunsWhatItWrote) {
  processor_.gpr(kRax) = 0x90;
  aim(0, BareProcessor::kCode + 2, 4);
  ASSERT_TRUE(processor_.finishes({0xf3, 0xaa, 0xff, 0xc0, 0xff, 0xc0}));  // rep stosb; inc eax; inc eax
  EXPECT_EQ(processor_.gpr(kRax), 0x90U);
}

}  // namespace
}  // namespace qm::soft
