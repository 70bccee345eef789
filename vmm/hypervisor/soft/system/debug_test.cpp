#include "vmm/hypervisor/soft/cpu/debug.h"

#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/memory/watched_access.h"
#include "vmm/hypervisor/soft/system/test_machine.h"

namespace qm::soft {
namespace {

constexpr std::uint64_t kExecution = 0, kWrite = 1, kPort = 2, kAccess = 3;
constexpr std::uint64_t kOneByte = 0, kTwoBytes = 1, kEightBytes = 2, kFourBytes = 3;

// DR7 for one breakpoint, enabled globally.
std::uint64_t control(unsigned number, std::uint64_t on, std::uint64_t length) {
  return std::uint64_t{2} << (number * 2) | on << (16 + number * 4) | length << (18 + number * 4);
}

DebugRegisters with(unsigned number, std::uint64_t address, std::uint64_t on, std::uint64_t length) {
  DebugRegisters debug;
  debug.db[number] = address;
  debug.dr7 |= control(number, on, length);
  return debug;
}

TEST(DataBreakpoint, IsHitByEveryAccessThatTouchesItsRange) {
  const DebugRegisters debug = with(2, 0x1004, kAccess, kFourBytes);
  EXPECT_EQ(dataBreakpointsAt(debug, 0x1004, 4, Use::read), 4U);
  EXPECT_EQ(dataBreakpointsAt(debug, 0x1007, 1, Use::write), 4U);
  EXPECT_EQ(dataBreakpointsAt(debug, 0x1000, 8, Use::read), 4U);
  EXPECT_EQ(dataBreakpointsAt(debug, 0x0ffe, 16, Use::read), 4U);
  EXPECT_EQ(dataBreakpointsAt(debug, 0x1000, 4, Use::read), 0U);
  EXPECT_EQ(dataBreakpointsAt(debug, 0x1008, 8, Use::write), 0U);
}

TEST(DataBreakpoint, OnWritesIsNotHitByReads) {
  const DebugRegisters debug = with(0, 0x1000, kWrite, kOneByte);
  EXPECT_EQ(dataBreakpointsAt(debug, 0x1000, 1, Use::read), 0U);
  EXPECT_EQ(dataBreakpointsAt(debug, 0x1000, 1, Use::write), 1U);
}

TEST(DataBreakpoint, IgnoresTheBitsOfItsAddressThatItsLengthSpans) {
  EXPECT_EQ(dataBreakpointsAt(with(1, 0x1007, kAccess, kEightBytes), 0x1000, 1, Use::read), 2U);
  EXPECT_EQ(dataBreakpointsAt(with(1, 0x1003, kAccess, kTwoBytes), 0x1001, 1, Use::read), 0U);
}

TEST(DataBreakpoint, ThatIsOfAnotherKindOrOffIsNotHit) {
  EXPECT_EQ(dataBreakpointsAt(with(0, 0x1000, kExecution, kOneByte), 0x1000, 1, Use::write), 0U);
  EXPECT_EQ(dataBreakpointsAt(with(0, 0x1000, kPort, kOneByte), 0x1000, 1, Use::write), 0U);
  DebugRegisters off = with(0, 0x1000, kAccess, kOneByte);
  off.dr7 &= ~dr7::kEnables;
  EXPECT_EQ(dataBreakpointsAt(off, 0x1000, 1, Use::write), 0U);
}

TEST(DataBreakpoint, AtTheEndOfTheAddressesDoesNotReachTheirBeginning) {
  const DebugRegisters debug = with(0, ~std::uint64_t{0}, kAccess, kOneByte);
  EXPECT_EQ(dataBreakpointsAt(debug, 0, 8, Use::read), 0U);
  EXPECT_EQ(dataBreakpointsAt(debug, ~std::uint64_t{7}, 8, Use::read), 1U);
}

class Debugged : public testing::Test {
 protected:
  Debugged() {
    cpu.system.codeSize = CodeSize::bits64;
    cpu.rip = 0x1000;
  }
  TestMachine machine;
  Cpu& cpu = machine.cpu();
};

TEST_F(Debugged, ABreakpointOnAnInstructionIsAFaultBeforeIt) {
  cpu.system.debug = with(3, 0x1000, kExecution, kOneByte);
  EXPECT_TRUE(hasInstructionBreakpoints(cpu));
  ASSERT_TRUE(hitsInstructionBreakpoint(cpu));
  EXPECT_EQ(cpu.fault.exception, Exception::debug);
  EXPECT_EQ(cpu.fault.address, 8U);
}

TEST_F(Debugged, NothingStopsOtherInstructions) {
  cpu.system.debug = with(3, 0x1001, kExecution, kOneByte);
  EXPECT_FALSE(hitsInstructionBreakpoint(cpu));
  cpu.system.debug = with(3, 0x1000, kWrite, kOneByte);
  EXPECT_FALSE(hasInstructionBreakpoints(cpu));
  EXPECT_FALSE(hitsInstructionBreakpoint(cpu));
}

TEST_F(Debugged, TheResumeFlagLetsTheInstructionPass) {
  cpu.system.debug = with(0, 0x1000, kExecution, kOneByte);
  cpu.rflags |= rflags::kRf;
  EXPECT_FALSE(hitsInstructionBreakpoint(cpu));
}

TEST_F(Debugged, OutsideOf64BitModeTheSegmentsBaseCounts) {
  cpu.system.codeSize = CodeSize::bits32;
  cpu.system.segments[static_cast<std::size_t>(SegmentName::cs)].base = 0x2'0000;
  cpu.system.debug = with(0, 0x2'1000, kExecution, kOneByte);
  EXPECT_TRUE(hitsInstructionBreakpoint(cpu));
}

TEST_F(Debugged, ASingleStepTrapsWhereTheFlagWasSetBeforeTheInstruction) {
  EXPECT_FALSE(raisesDebugTrap(cpu, rflags::kFixed));
  cpu.rflags |= rflags::kTf;
  EXPECT_FALSE(raisesDebugTrap(cpu, rflags::kFixed));  // a POPF that has just set it
  ASSERT_TRUE(raisesDebugTrap(cpu, rflags::kFixed | rflags::kTf));
  EXPECT_EQ(cpu.fault.address, dr6::kBs);
  cpu.rflags &= ~rflags::kTf;
  EXPECT_FALSE(raisesDebugTrap(cpu, rflags::kFixed | rflags::kTf));  // a SYSCALL
}

TEST_F(Debugged, DataThatWasHitTrapsOnce) {
  noteDataBreakpoints(cpu, 1);
  noteDataBreakpoints(cpu, 4);
  ASSERT_TRUE(raisesDebugTrap(cpu, rflags::kFixed));
  EXPECT_EQ(cpu.fault.address, 5U);
  EXPECT_FALSE(raisesDebugTrap(cpu, rflags::kFixed));
}

TEST_F(Debugged, TheHandlerFindsTheCausesInDr6AndTheDebugRegistersOpen) {
  cpu.system.debug.dr6 = dr6::kReserved | dr6::kBt | 2U;
  cpu.system.debug.dr7 |= dr7::kGd;
  EXPECT_FALSE(raiseDebug(cpu, dr6::kBs | 1U));
  enterDebugException(cpu);
  EXPECT_EQ(cpu.system.debug.dr6, dr6::kReserved | dr6::kBt | dr6::kBs | 1U);  // BT stays: only software clears it
  EXPECT_EQ(cpu.system.debug.dr7 & dr7::kGd, 0U);
}

// --- Accesses

class Watched : public Debugged {
 protected:
  // User code with alignment checks; no paging, so every page is there.
  Watched() {
    cpu.system.cr0 = cr0::kPe | cr0::kAm;
    cpu.system.segments[static_cast<std::size_t>(SegmentName::ss)].dpl = 3;
    cpu.rflags |= rflags::kAc;
    modeChanged(cpu);
  }
};

TEST_F(Watched, AlignmentIsCheckedByTheOperandsSize) {
  EXPECT_TRUE(isWatchedAccessAllowed(cpu, 0x1001, 1, Use::read));
  EXPECT_TRUE(isWatchedAccessAllowed(cpu, 0x1008, 8, Use::write));
  EXPECT_TRUE(isWatchedAccessAllowed(cpu, 0x1004, 4, Use::write));
  EXPECT_TRUE(isWatchedAccessAllowed(cpu, 0x1008, 10, Use::read));
  EXPECT_TRUE(isWatchedAccessAllowed(cpu, 0x1001, 16, Use::read));
  for (const unsigned bytes : {2U, 4U, 8U, 10U}) {
    EXPECT_FALSE(isWatchedAccessAllowed(cpu, 0x1001, bytes, Use::read)) << bytes;
    EXPECT_EQ(cpu.fault.exception, Exception::alignmentCheck);
    EXPECT_EQ(cpu.fault.errorCode, 0U);
  }
}

TEST_F(Watched, AnAddressThatIsNotCanonicalFaultsAsSuch) {
  EXPECT_TRUE(isWatchedAccessAllowed(cpu, 0x8000'0000'0001, 8, Use::read));
}

TEST_F(Watched, TheKernelsAccessesAreNotCheckedForAlignment) {
  cpu.system.segments[static_cast<std::size_t>(SegmentName::ss)].dpl = 0;
  modeChanged(cpu);
  EXPECT_TRUE(isWatchedAccessAllowed(cpu, 0x1001, 8, Use::read));
}

TEST_F(Watched, ADataBreakpointIsNotedWhenTheInstructionIsAlone) {
  cpu.system.debug = with(1, 0x2000, kWrite, kEightBytes);
  EXPECT_FALSE(isWatchedAccessAllowed(cpu, 0x2000, 8, Use::write));
  EXPECT_EQ(cpu.stop, Stop::alone);
  EXPECT_EQ(cpu.system.breakpointsHit, 0U);
  cpu.stepping = true;
  EXPECT_TRUE(isWatchedAccessAllowed(cpu, 0x2000, 8, Use::write));
  EXPECT_EQ(cpu.system.breakpointsHit, 2U);
}

}  // namespace
}  // namespace qm::soft
