// Exceptions reach the guest's own handlers with what the SDM says of each (SDM 3A, 6.15).
#include <array>

#include "tests/contract/guest.h"

namespace qm::contract {
namespace {

class Exceptions : public ContractTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Exceptions, testing::ValuesIn(backends()), backendName);

constexpr std::uint8_t kDivideError = 0, kDebug = 1, kBreakpoint = 3, kInvalidOpcode = 6, kGeneralProtection = 13,
                       kPageFault = 14;
enum class ErrorCode : std::uint8_t { none, pushed };

// Reports the error code if there is one, then the instruction's address and CR2, and ends.
GuestCode::Label emitHandler(GuestCode& code, ErrorCode errorCode) {
  const GuestCode::Label handler = code.here();
  if (errorCode == ErrorCode::pushed) {
    code.pop(Reg::rax);
    code.report(kReportPort, Reg::rax);
  }
  code.pop(Reg::rax);
  code.report(kReportPort, Reg::rax);
  code.moveFromControl(Reg::rax, 2);
  code.report(kReportPort, Reg::rax);
  code.report(kDonePort, 0U);
  return handler;
}

struct Caught {
  std::vector<std::uint32_t> reports;
  std::uint32_t address;  // of the instruction that must have faulted
};

Caught catchException(Hypervisor& hypervisor, std::uint8_t vector, ErrorCode errorCode, void (*prepare)(GuestCode&),
                      void (*fault)(GuestCode&)) {
  GuestCode code(kCode);
  prepare(code);
  const GuestCode::Label at = code.here();
  fault(code);
  code.hlt();
  const GuestCode::Label handler = emitHandler(code, errorCode);
  Guest guest(hypervisor);
  guest.startLongMode(code);
  guest.setHandler(vector, code.address(handler));
  return {guest.runToEnd(), static_cast<std::uint32_t>(code.address(at).value)};
}

TEST_P(Exceptions, DivisionByZero) {
  const Caught caught = catchException(
      hypervisor(), kDivideError, ErrorCode::none, [](GuestCode& c) { c.move(Reg::rbx, 0); },
      [](GuestCode& c) { c.divide(Reg::rbx); });
  EXPECT_EQ(caught.reports, (std::vector<std::uint32_t>{caught.address, 0}));
}

TEST_P(Exceptions, InvalidOpcode) {
  const Caught caught =
      catchException(hypervisor(), kInvalidOpcode, ErrorCode::none, [](GuestCode&) {}, [](GuestCode& c) { c.ud2(); });
  EXPECT_EQ(caught.reports, (std::vector<std::uint32_t>{caught.address, 0}));
}

TEST_P(Exceptions, BreakpointIsATrapPastItsInstruction) {
  if (isEmulated()) GTEST_SKIP() << "this host's KVM emulates kernel mode, without int3";
  const Caught caught =
      catchException(hypervisor(), kBreakpoint, ErrorCode::none, [](GuestCode&) {}, [](GuestCode& c) { c.int3(); });
  EXPECT_EQ(caught.reports, (std::vector<std::uint32_t>{caught.address + 1, 0}));
}

TEST_P(Exceptions, AddressThatIsNotCanonical) {
  const Caught caught = catchException(
      hypervisor(), kGeneralProtection, ErrorCode::pushed,
      [](GuestCode& c) { c.move(Reg::rbx, 0x8000'0000'0000'0000); },
      [](GuestCode& c) { c.load(Reg::rax, Reg::rbx, Width::qword); });
  EXPECT_EQ(caught.reports, (std::vector<std::uint32_t>{0, caught.address, 0}));
}

TEST_P(Exceptions, MsrThatDoesNotExist) {
  const Caught caught = catchException(
      hypervisor(), kGeneralProtection, ErrorCode::pushed, [](GuestCode& c) { c.move(Reg::rcx, 0x3fff'ffff); },
      [](GuestCode& c) { c.rdmsr(); });
  EXPECT_EQ(caught.reports, (std::vector<std::uint32_t>{0, caught.address, 0}));
}

TEST_P(Exceptions, PageFaultOnReadTellsTheAddress) {
  const Caught caught = catchException(
      hypervisor(), kPageFault, ErrorCode::pushed, [](GuestCode& c) { c.move(Reg::rbx, 0x1'4000'1234); },
      [](GuestCode& c) { c.load(Reg::rax, Reg::rbx, Width::qword); });
  EXPECT_EQ(caught.reports, (std::vector<std::uint32_t>{0, caught.address, 0x4000'1234}));
}

TEST_P(Exceptions, PageFaultOnWriteSaysThatItWasOne) {
  const Caught caught = catchException(
      hypervisor(), kPageFault, ErrorCode::pushed, [](GuestCode& c) { c.move(Reg::rbx, 0x1'4000'5678); },
      [](GuestCode& c) { c.store(Reg::rbx, Reg::rax, Width::dword); });
  EXPECT_EQ(caught.reports, (std::vector<std::uint32_t>{2, caught.address, 0x4000'5678}));
}

TEST_P(Exceptions, AHandlerReturnsToWhereItWasInterrupted) {
  if (isEmulated()) GTEST_SKIP() << "this host's KVM emulates kernel mode, without int3";
  GuestCode code(kCode);
  code.move(Reg::rbx, 5);
  code.int3();
  code.report(kReportPort, Reg::rbx);
  code.report(kDonePort, 0U);
  const GuestCode::Label handler = code.here();
  code.increment(Reg::rbx);
  code.iret();
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.setHandler(kBreakpoint, code.address(handler));
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{6}));
}

TEST_P(Exceptions, AFaultWithoutAnyHandlerShutsDown) {
  GuestCode code(kCode);
  code.ud2();
  Guest guest(hypervisor());
  guest.startLongMode(code);
  SystemRegisters system = require(guest.vcpu().systemRegisters());
  system.idt.limit = 0;
  require(guest.vcpu().setRegisters(require(guest.vcpu().registers()), system));
  guest.runTo<Shutdown>();
}

// QEMU 7.2, when a nested guest leaves: its breakpoints stay and hit the guests that come later, or QEMU crashes.
constexpr const char* kLabKeepsBreakpoints = "the lab's QEMU keeps a nested guest's breakpoints when it leaves";

TEST_P(Exceptions, InstructionBreakpointStopsBeforeItsInstruction) {
  if (isLabsKvm()) GTEST_SKIP() << kLabKeepsBreakpoints;
  GuestCode code(kCode);
  const GuestCode::Label handler = code.label();
  const GuestCode::Label start = code.label();
  code.jump(start);
  const GuestCode::Label target = code.here();
  code.report(kReportPort, 77U);
  code.hlt();
  code.bind(handler);
  code.moveFromDebug(Reg::rax, 6);
  code.report(kReportPort, Reg::rax);
  code.pop(Reg::rax);
  code.report(kReportPort, Reg::rax);
  code.report(kDonePort, 0U);
  code.bind(start);
  code.move(Reg::rax, code.address(target).value);
  code.moveToDebug(0, Reg::rax);
  code.move(Reg::rax, 0x401);  // L0, execute
  code.moveToDebug(7, Reg::rax);
  code.jump(target);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.setHandler(kDebug, code.address(handler));
  const auto target32 = static_cast<std::uint32_t>(code.address(target).value);
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{0xffff'0ff1, target32}));
}

TEST_P(Exceptions, DataBreakpointStopsPastTheWrite) {
  if (isEmulated()) GTEST_SKIP() << "this host's KVM emulates kernel mode, without data breakpoints";
  if (isLabsKvm()) GTEST_SKIP() << kLabKeepsBreakpoints;
  GuestCode code(kCode);
  code.move(Reg::rbx, kData.value);
  code.moveToDebug(1, Reg::rbx);
  code.move(Reg::rax, 0x00d0'0404);  // L1, write, 4 bytes
  code.moveToDebug(7, Reg::rax);
  code.storeImmediate(Reg::rbx, 123);
  const GuestCode::Label past = code.here();
  code.report(kReportPort, 77U);
  code.hlt();
  const GuestCode::Label handler = code.here();
  code.moveFromDebug(Reg::rax, 6);
  code.report(kReportPort, Reg::rax);
  code.pop(Reg::rax);
  code.report(kReportPort, Reg::rax);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.setHandler(kDebug, code.address(handler));
  const auto past32 = static_cast<std::uint32_t>(code.address(past).value);
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{0xffff'0ff2, past32}));
  EXPECT_EQ(guest.readObject<std::uint32_t>(kData), 123U);
}

TEST_P(Exceptions, AHandlerPassesAnInstructionBreakpointWithTheResumeFlag) {
  if (isEmulated()) GTEST_SKIP() << "this host's KVM emulates kernel mode, without the resume flag";
  if (isLabsKvm()) GTEST_SKIP() << kLabKeepsBreakpoints;
  GuestCode code(kCode);
  const GuestCode::Label start = code.label();
  code.jump(start);
  const GuestCode::Label target = code.here();
  code.report(kReportPort, 77U);
  code.report(kDonePort, 0U);
  const GuestCode::Label handler = code.here();
  code.report(kReportPort, 1U);
  code.pop(Reg::rbx);  // rip
  code.pop(Reg::rcx);  // cs
  code.pop(Reg::rax);
  code.move(Reg::rdx, 1U << 16U);  // RF
  code.add(Reg::rax, Reg::rdx);
  code.push(Reg::rax);
  code.push(Reg::rcx);
  code.push(Reg::rbx);
  code.iret();
  code.bind(start);
  code.move(Reg::rax, code.address(target).value);
  code.moveToDebug(0, Reg::rax);
  code.move(Reg::rax, 0x401);  // L0, execute
  code.moveToDebug(7, Reg::rax);
  code.jump(target);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.setHandler(kDebug, code.address(handler));
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{1, 77}));
}

// Goes to `target` by an IRET that sets TF.
void emitStepped(GuestCode& code, GuestCode::Label target) {
  constexpr std::uint64_t kStackSelector = 0x10, kSteppedFlags = 0x102;
  for (const std::uint64_t value :
       {kStackSelector, kStackTop.value, kSteppedFlags, std::uint64_t{kCodeSelector}, code.address(target).value}) {
    code.move(Reg::rax, value);
    code.push(Reg::rax);
  }
  code.iret();
}

TEST_P(Exceptions, ASingleStepIsATrapPastEachInstruction) {
  if (isEmulated()) GTEST_SKIP() << "this host's KVM emulates kernel mode, without single steps";
  GuestCode code(kCode);
  const GuestCode::Label start = code.label();
  code.jump(start);
  const GuestCode::Label target = code.here();
  code.nop();
  code.nop();
  code.hlt();
  const GuestCode::Label handler = code.here();
  code.moveFromDebug(Reg::rax, 6);
  code.report(kReportPort, Reg::rax);
  code.pop(Reg::rbx);
  code.report(kReportPort, Reg::rbx);
  code.push(Reg::rbx);
  code.iret();
  code.bind(start);
  emitStepped(code, target);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.setHandler(kDebug, code.address(handler));
  const auto target32 = static_cast<std::uint32_t>(code.address(target).value);
  for (const std::uint32_t past : {target32 + 1, target32 + 2}) {
    EXPECT_EQ(guest.nextReport(), 0xffff'4ff0U);
    EXPECT_EQ(guest.nextReport(), past);
  }
}

TEST_P(Exceptions, AFaultOfASteppedInstructionIsNotATrapToo) {
  if (isEmulated()) GTEST_SKIP() << "this host's KVM emulates kernel mode, without single steps";
  GuestCode code(kCode);
  const GuestCode::Label start = code.label();
  code.jump(start);
  const GuestCode::Label target = code.here();
  code.ud2();
  const GuestCode::Label invalidHandler = code.here();
  code.report(kReportPort, 6U);
  code.report(kDonePort, 0U);
  const GuestCode::Label debugHandler = code.here();
  code.report(kReportPort, 1U);
  code.iret();
  code.bind(start);
  emitStepped(code, target);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.setHandler(kDebug, code.address(debugHandler));
  guest.setHandler(kInvalidOpcode, code.address(invalidHandler));
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{6}));
}

}  // namespace
}  // namespace qm::contract
