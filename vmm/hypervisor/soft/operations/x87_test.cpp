#include "vmm/hypervisor/soft/operations/x87.h"

#include <cstddef>
#include <initializer_list>

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/cpu/system_state.h"
#include "vmm/hypervisor/soft/testing/bare_processor.h"

namespace qm::soft {
namespace {

constexpr unsigned kRax = 0;
constexpr std::uint64_t kArea = BareProcessor::kData, kSecondPage = BareProcessor::kData + 0x1000;
constexpr std::uint16_t kAllMasked = 0x37f, kInvalid = 1;

class X87Test : public testing::Test {
 protected:
  X87Test() { processor_.gpr(kRax) = kArea; }

  Cpu& cpu() { return processor_.cpu(); }
  X87State& x87() { return processor_.cpu().x87; }
  // Whether the code ends with #MF.
  bool raisesPending(std::initializer_list<unsigned> bytes) {
    processor_.setCode(bytes);
    return processor_.run() == Stop::exception && cpu().fault.exception == Exception::floatingPoint;
  }
  // One masked, the other not.
  void leavePending() { loadWords(x87(), static_cast<std::uint16_t>(kAllMasked & ~kInvalid), kInvalid); }

  BareProcessor processor_;
};

// What is not raised here would be raised in the host's program.
TEST_F(X87Test, ExceptionThatIsLoadedWithoutItsSummaryIsPending) {
  processor_.write<std::uint16_t>(kArea, kAllMasked & ~kInvalid);
  processor_.write<std::uint16_t>(kArea + 2, kInvalid);
  ASSERT_TRUE(processor_.finishes({0x0f, 0xae, 0x08}));  // fxrstor [rax]
  EXPECT_EQ(x87().status, 0x8081);
  EXPECT_TRUE(raisesPending({0xd9, 0xe8}));  // fld1
}

TEST_F(X87Test, SummaryThatIsLoadedWithoutAnExceptionIsNot) {
  processor_.write<std::uint16_t>(kArea, kAllMasked);
  processor_.write<std::uint16_t>(kArea + 2, 0x8080 | kInvalid);
  ASSERT_TRUE(processor_.finishes({0x0f, 0xae, 0x08, 0xd9, 0xe8}));  // fxrstor [rax]; fld1
  EXPECT_EQ(x87().status & 0x80ff, kInvalid);
}

TEST_F(X87Test, UnmaskingAnExceptionMakesItPending) {
  loadWords(x87(), kAllMasked, kInvalid);
  processor_.write<std::uint16_t>(kArea, 0);
  EXPECT_TRUE(raisesPending({0xd9, 0x28, 0x9b}));  // fldcw [rax]; fwait
  EXPECT_EQ(x87().control, 0x40);
}

TEST_F(X87Test, WaitAsksForMonitorCoprocessorAndTaskSwitchedTogetherEachTimeItRuns) {
  const auto waits = [this](std::uint64_t flags) {
    cpu().system.cr0 = (cpu().system.cr0 & ~(cr0::kMp | cr0::kEm | cr0::kTs)) | flags;
    modeChanged(cpu());
    cpu().rip = BareProcessor::kCode;
    processor_.run();
    return processor_.hasFinished();
  };
  processor_.setCode({0x9b});  // fwait
  EXPECT_TRUE(waits(cr0::kTs));
  EXPECT_FALSE(waits(cr0::kMp | cr0::kTs));
  EXPECT_EQ(cpu().fault.exception, Exception::deviceNotAvailable);
  EXPECT_TRUE(waits(cr0::kMp | cr0::kEm));
}

TEST_F(X87Test, EnvironmentOf16BitOperandsHasFourteenBytes) {
  processor_.write<std::uint64_t>(kArea + 14, 0x5555'5555'5555'5555);
  ASSERT_TRUE(processor_.finishes({0xd9, 0xe8, 0x66, 0xd9, 0x30}));  // fld1; data16 fnstenv [rax]
  EXPECT_EQ(processor_.read<std::uint16_t>(kArea), kAllMasked);
  EXPECT_EQ(processor_.read<std::uint16_t>(kArea + 2), 0x3800);                          // TOP is 7
  EXPECT_EQ(processor_.read<std::uint16_t>(kArea + 4), 0x3fff);                          // R7 alone is not empty
  EXPECT_EQ(processor_.read<std::uint16_t>(kArea + 6), BareProcessor::kCode & 0xffffU);  // of the FLD1
  EXPECT_EQ(processor_.read<std::uint64_t>(kArea + 14), 0x5555'5555'5555'5555U);
}

TEST_F(X87Test, TenBytesThatReachAPageWhichIsAbsentAreRefusedAtItsStart) {
  ASSERT_TRUE(processor_.finishes({0xd9, 0xe8}));  // fld1
  processor_.setPage(kSecondPage, BareProcessor::Page::absent);
  processor_.gpr(kRax) = kSecondPage - 9;
  processor_.setCode({0xdb, 0x38});  // fstp tbyte [rax]
  ASSERT_EQ(processor_.run(), Stop::exception);
  EXPECT_EQ(cpu().fault.exception, Exception::pageFault);
  EXPECT_EQ(cpu().fault.address, kSecondPage);
  EXPECT_EQ(x87().occupied, 0x80);
  EXPECT_EQ(processor_.read<std::uint64_t>(kSecondPage - 9), 0x8000'0000'0000'0000U);  // the significand was stored
}

TEST_F(X87Test, OperandsAddressIsKeptOfAnUnmaskedExceptionOnly) {
  constexpr std::uint32_t kSignallingNan = 0x7f80'0001;
  processor_.write<std::uint32_t>(kArea, kSignallingNan);
  ASSERT_TRUE(processor_.finishes({0xd9, 0x00}));  // fld dword [rax]
  EXPECT_EQ(x87().operand, 0U);
  loadWords(x87(), static_cast<std::uint16_t>(kAllMasked & ~kInvalid), 0);
  ASSERT_TRUE(processor_.finishes({0xd9, 0x00}));
  EXPECT_EQ(x87().operand, kArea);
}

TEST_F(X87Test, InstructionsThatDoNotWaitLeaveWhatIsPending) {
  leavePending();
  ASSERT_TRUE(processor_.finishes({0xdb, 0xe0, 0xdb, 0xe1, 0xdb, 0xe4, 0xd9, 0x30}));  // feni fdisi fsetpm fnstenv
  EXPECT_EQ(processor_.read<std::uint16_t>(kArea + 4), 0x8081);
}

// ---- MMX

TEST_F(X87Test, MmxInstructionLeavesTopZeroAndEveryRegisterOccupied) {
  x87().status = 0x1800;
  processor_.gpr(kRax) = 0x1122'3344'5566'7788;
  ASSERT_TRUE(processor_.finishes({0x48, 0x0f, 0x6e, 0xd0}));  // movq mm2, rax
  EXPECT_EQ(x87().status, 0);
  EXPECT_EQ(x87().occupied, 0xff);
  constexpr ExtendedReal kWritten{{std::byte{0x88}, std::byte{0x77}, std::byte{0x66}, std::byte{0x55}, std::byte{0x44},
                                   std::byte{0x33}, std::byte{0x22}, std::byte{0x11}, std::byte{0xff},
                                   std::byte{0xff}}};
  EXPECT_EQ(x87().physical[2], kWritten);
}

TEST_F(X87Test, EmmsMarksEveryRegisterEmpty) {
  x87().occupied = 0xff;
  ASSERT_TRUE(processor_.finishes({0x0f, 0x77}));
  EXPECT_EQ(x87().occupied, 0);
}

TEST_F(X87Test, MmxInstructionsAndEmmsWaitForWhatIsPending) {
  leavePending();
  EXPECT_TRUE(raisesPending({0x0f, 0xfc, 0xc1}));  // paddb mm0, mm1
  EXPECT_TRUE(raisesPending({0x0f, 0x77}));        // emms
}

TEST_F(X87Test, EmmsNeedsItsUnitThoughItNamesNoRegister) {
  cpu().system.cr0 |= cr0::kTs;
  modeChanged(cpu());
  processor_.setCode({0x0f, 0x77});
  ASSERT_EQ(processor_.run(), Stop::exception);
  EXPECT_EQ(cpu().fault.exception, Exception::deviceNotAvailable);
}

TEST_F(X87Test, UnpackingLowHalvesReadsFourBytesOfMemory) {
  processor_.setPage(kSecondPage, BareProcessor::Page::absent);
  processor_.gpr(kRax) = kSecondPage - 4;
  processor_.write<std::uint32_t>(kSecondPage - 4, 0x0403'0201);
  ASSERT_TRUE(processor_.finishes({0x0f, 0x60, 0x00}));  // punpcklbw mm0, [rax]
  constexpr ExtendedReal kWritten{{std::byte{0}, std::byte{1}, std::byte{0}, std::byte{2}, std::byte{0}, std::byte{3},
                                   std::byte{0}, std::byte{4}, std::byte{0xff}, std::byte{0xff}}};
  EXPECT_EQ(x87().physical[0], kWritten);
}

TEST_F(X87Test, ConversionFromMemoryLeavesTheRegistersToX87) {
  leavePending();
  x87().status |= 0x1800;
  const X87State before = x87();
  processor_.write<std::uint64_t>(kArea, 0x0000'0002'0000'0001);
  ASSERT_TRUE(processor_.finishes({0x0f, 0x2a, 0x00}));  // cvtpi2ps xmm0, [rax]
  EXPECT_EQ(x87(), before);
}

}  // namespace
}  // namespace qm::soft
