// External interrupts: through the IOAPIC, the local APIC and the PIC (SDM 3A, 11; 82093AA; 8259A).
#include <chrono>
#include <thread>

#include "tests/contract/guest.h"
#include "tests/contract/interrupt_code.h"

namespace qm::contract {
namespace {

using namespace std::chrono_literals;

class Interrupts : public ContractTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Interrupts, testing::ValuesIn(backends()), backendName);

constexpr std::uint32_t kPin = 20;  // of the IOAPIC alone: the PIC has lines below 16
constexpr std::uint8_t kVector = 0x50;
constexpr std::uint32_t kArrived = 0xa1, kReady = 0xb1;

void pulse(Vm& vm, std::uint32_t gsi) {
  require(vm.setInterruptLine(gsi, true));
  require(vm.setInterruptLine(gsi, false));
}

// A guest that routes the pin, says that it is ready, sleeps until `count` interrupts arrived, and ends.
std::unique_ptr<Guest> sleeper(Hypervisor& hypervisor, Trigger trigger, std::uint64_t count) {
  GuestCode code(kCode);
  enableLocalApic(code);
  routePin(code, kPin, kVector, trigger);
  code.report(kReportPort, kReady);
  waitForInterrupts(code, count);
  // A window for an interrupt too many.
  code.sti();
  code.nop();
  code.nop();
  code.cli();
  code.report(kDonePort, 0U);
  const GuestCode::Label handler = emitCountingHandler(code, kArrived);
  auto guest = std::make_unique<Guest>(hypervisor);
  guest->startLongMode(code);
  guest->setHandler(kVector, code.address(handler));
  return guest;
}

TEST_P(Interrupts, AnEdgeStaysPendingAfterItsFall) {
  const auto guest = sleeper(hypervisor(), Trigger::edge, 1);
  EXPECT_EQ(guest->nextReport(), kReady);
  pulse(guest->vm(), kPin);
  EXPECT_EQ(guest->runToEnd(), (std::vector<std::uint32_t>{kArrived}));
}

TEST_P(Interrupts, AnEdgeWakesASleepingGuest) {
  const auto guest = sleeper(hypervisor(), Trigger::edge, 1);
  EXPECT_EQ(guest->nextReport(), kReady);
  const std::jthread device([&] {
    std::this_thread::sleep_for(20ms);
    pulse(guest->vm(), kPin);
  });
  EXPECT_EQ(guest->runToEnd(), (std::vector<std::uint32_t>{kArrived}));
}

TEST_P(Interrupts, AHighLevelComesAgainAfterTheEndOfInterrupt) {
  const auto guest = sleeper(hypervisor(), Trigger::level, 2);
  EXPECT_EQ(guest->nextReport(), kReady);
  require(guest->vm().setInterruptLine(kPin, true));
  EXPECT_EQ(guest->nextReport(), kArrived);
  EXPECT_EQ(guest->nextReport(), kArrived);
  require(guest->vm().setInterruptLine(kPin, false));
  EXPECT_TRUE(guest->runToEnd().empty());
}

TEST_P(Interrupts, ALevelThatFellDoesNotComeAgain) {
  const auto guest = sleeper(hypervisor(), Trigger::level, 1);
  EXPECT_EQ(guest->nextReport(), kReady);
  require(guest->vm().setInterruptLine(kPin, true));
  EXPECT_EQ(guest->nextReport(), kArrived);
  require(guest->vm().setInterruptLine(kPin, false));
  EXPECT_TRUE(guest->runToEnd().empty());
}

TEST_P(Interrupts, AnInterruptToOneselfWaitsForTheInterruptFlag) {
  GuestCode code(kCode);
  enableLocalApic(code);
  interruptSelf(code, kVector);
  code.report(kReportPort, kReady);
  waitForInterrupts(code, 1);
  code.report(kDonePort, 0U);
  const GuestCode::Label handler = emitCountingHandler(code, kArrived);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.setHandler(kVector, code.address(handler));
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{kReady, kArrived}));
}

TEST_P(Interrupts, TheTaskPriorityHoldsBackItsClassAndBelow) {
  GuestCode code(kCode);
  enableLocalApic(code);
  code.move(Reg::rax, kVector >> 4U);
  code.moveToControl(8, Reg::rax);
  interruptSelf(code, kVector);
  code.sti();
  code.nop();
  code.nop();
  code.cli();
  code.report(kReportPort, kReady);
  code.move(Reg::rax, 0);
  code.moveToControl(8, Reg::rax);
  waitForInterrupts(code, 1);
  code.report(kDonePort, 0U);
  const GuestCode::Label handler = emitCountingHandler(code, kArrived);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.setHandler(kVector, code.address(handler));
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{kReady, kArrived}));
}

TEST_P(Interrupts, TheHigherOfTwoPendingVectorsComesFirst) {
  constexpr std::uint8_t kHigher = 0x70;
  GuestCode code(kCode);
  enableLocalApic(code);
  interruptSelf(code, kVector);
  interruptSelf(code, kHigher);
  code.report(kReportPort, kReady);
  waitForInterrupts(code, 2);
  code.report(kDonePort, 0U);
  const GuestCode::Label handler = emitCountingHandler(code, kVector);
  const GuestCode::Label higher = emitCountingHandler(code, kHigher);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.setHandler(kVector, code.address(handler));
  guest.setHandler(kHigher, code.address(higher));
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{kReady, kHigher, kVector}));
}

TEST_P(Interrupts, ALineOfThePicArrivesThroughTheLocalApicsPin0) {
  constexpr std::uint8_t kBase = 0x30, kLine = 5;
  const auto outByte = [](GuestCode& code, std::uint8_t port, std::uint8_t value) {
    code.move(Reg::rax, value);
    code.out(port, Width::byte);
  };
  GuestCode code(kCode);
  enableLocalApic(code);
  code.poke(kLocalApic + kLvtPin0, 0x700);  // ExtINT
  outByte(code, 0x20, 0x11);                // ICW1: edge, cascade, ICW4 follows
  outByte(code, 0x21, kBase);               // ICW2: the first vector
  outByte(code, 0x21, 0x04);                // ICW3: the second chip is on line 2
  outByte(code, 0x21, 0x01);                // ICW4: 8086 mode
  outByte(code, 0x21, 0xff & ~(1U << kLine));
  code.report(kReportPort, kReady);
  code.sti();
  code.hlt();
  const GuestCode::Label handler = code.here();
  outByte(code, 0x20, 0x20);  // OCW2: end of interrupt
  code.report(kReportPort, kArrived);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.setHandler(kBase + kLine, code.address(handler));
  EXPECT_EQ(guest.nextReport(), kReady);
  pulse(guest.vm(), kLine);
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{kArrived}));
}

}  // namespace
}  // namespace qm::contract
