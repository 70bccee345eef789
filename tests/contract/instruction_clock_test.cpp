// Where time is what the vCPU has executed: it stops at any nanosecond of it, and what was saved there comes to the
// same as what ran on. On the CPU in software only.
#include <algorithm>
#include <vector>

#include <gmock/gmock.h>

#include "tests/contract/guest.h"
#include "tests/contract/interrupt_code.h"
#include "vmm/hypervisor/soft/soft_hypervisor.h"

namespace qm::contract {
namespace {

constexpr std::uint8_t kVector = 0x60;

// Which of the local APIC's ways to tell the time a guest uses.
enum class Ticking : std::uint8_t { periodic, periodicBy16, deadline };

// Random numbers, sleep and timer interrupts, for ever, without an exit.
GuestCode restless(Ticking ticking, GuestAddress& handler) {
  constexpr std::uint32_t kDivideBy16 = 0x3;
  GuestCode code(kCode);
  enableLocalApic(code);
  code.poke(kLocalApic + kTimerDivide, ticking == Ticking::periodicBy16 ? kDivideBy16 : kDivideByOne);
  code.poke(kLocalApic + kLvtTimer, (ticking == Ticking::deadline ? kTimerDeadline : kTimerPeriodic) | kVector);
  if (ticking != Ticking::deadline) code.poke(kLocalApic + kTimerInitial, 777);
  code.move(Reg::rsi, kData.value);
  const GuestCode::Label again = code.here();
  code.rdrand(Reg::rax);
  code.store(Reg::rsi, Reg::rax, Width::qword);
  code.add(Reg::rbx, Reg::rax);
  if (ticking == Ticking::deadline) {
    code.rdtsc();
    code.move(Reg::rcx, 1'234);
    code.add(Reg::rax, Reg::rcx);
    code.move(Reg::rcx, kDeadlineMsr);
    code.wrmsr();
  }
  code.sti();
  code.hlt();
  code.cli();
  code.jump(again);
  handler = code.address(code.here());
  code.push(Reg::rax);
  code.push(Reg::rdi);
  code.increment(Reg::r15);
  endInterrupt(code);
  code.pop(Reg::rdi);
  code.pop(Reg::rax);
  code.iret();
  return code;
}

class InstructionClocks : public testing::Test {
 protected:
  std::unique_ptr<Guest> started(Ticking ticking) {
    GuestAddress handler;
    const GuestCode code = restless(ticking, handler);
    auto guest = std::make_unique<Guest>(*hypervisor_);
    guest->startLongMode(code);
    guest->setHandler(kVector, handler);
    return guest;
  }
  static void runTo(Guest& guest, std::uint64_t guestNs) {
    InstructionClock& clock = *guest.vm().instructionClock();
    clock.setAlarm(guestNs);
    guest.runTo<Alarm>();
    ASSERT_EQ(clock.guestNs(), guestNs);
  }
  static void expectSame(Guest& one, Guest& other) {
    const MachineSnapshot a = one.save(), b = other.save();
    EXPECT_EQ(a.cpus[0].registers, b.cpus[0].registers);
    EXPECT_EQ(a.cpus[0].msrs, b.cpus[0].msrs);
    EXPECT_EQ(a.cpus[0].localApic, b.cpus[0].localApic);
    EXPECT_EQ(a.cpus[0].randomState, b.cpus[0].randomState);
    EXPECT_EQ(a.cpus[0], b.cpus[0]);
    EXPECT_EQ(a.vm, b.vm);
    EXPECT_TRUE(std::ranges::equal(one.ram(), other.ram()));
  }

  std::unique_ptr<Hypervisor> hypervisor_ = require(openSoft({.clock = SoftClock::instructions, .seed = 7}));
};

TEST_F(InstructionClocks, AnAlarmComesAtItsNanosecondWhateverWasRunInOneGo) {
  auto inSteps = started(Ticking::periodic), atOnce = started(Ticking::periodic);
  for (std::uint64_t ns = 4'000; ns < 6'000; ns += 1 + ns % 7) runTo(*inSteps, ns);
  runTo(*inSteps, 6'000);
  runTo(*atOnce, 6'000);
  expectSame(*inSteps, *atOnce);
}

TEST_F(InstructionClocks, ASleeperIsWokenByTheAlarmAndSleepsOn) {
  GuestCode code(kCode);
  code.cli();
  code.hlt();
  Guest guest(*hypervisor_);
  guest.startLongMode(code);
  runTo(guest, 1'000'000'000);
  EXPECT_EQ(guest.save().cpus[0].runState, RunState::halted);
  runTo(guest, 3'000'000'000);
  EXPECT_EQ(guest.save().cpus[0].runState, RunState::halted);
}

TEST_F(InstructionClocks, AnAlarmThatIsOverComesBeforeAnyInstruction) {
  auto guest = started(Ticking::periodic);
  runTo(*guest, 5'000);
  const Registers before = guest->save().cpus[0].registers;
  guest->vm().instructionClock()->setAlarm(0);
  guest->runTo<Alarm>();
  EXPECT_EQ(guest->save().cpus[0].registers, before);
}

TEST_F(InstructionClocks, AKickComesBeforeTheAlarmWhichIsNotLost) {
  auto guest = started(Ticking::periodic);
  guest->vm().instructionClock()->setAlarm(0);
  guest->vcpu().kick();
  guest->runTo<Interrupted>();
  guest->runTo<Alarm>();
}

class Restored : public InstructionClocks, public testing::WithParamInterface<Ticking> {};
INSTANTIATE_TEST_SUITE_P(Timers, Restored,
                         testing::Values(Ticking::periodic, Ticking::periodicBy16, Ticking::deadline));

// At every instruction of some rounds, so that interrupts, sleep and their handler are all cut somewhere.
TEST_P(Restored, WhatWasSavedAnywhereComesToTheSameAsWhatRanOn) {
  auto straight = started(GetParam());
  runTo(*straight, 20'000);
  for (std::uint64_t ns = 6'000; ns < 8'000 && !HasFailure(); ns += 3) {
    auto saved = started(GetParam());
    runTo(*saved, ns);
    auto restored = saved->copy(*hypervisor_);
    ASSERT_EQ(restored->vm().instructionClock()->guestNs(), ns);
    runTo(*restored, 20'000);
    SCOPED_TRACE(ns);
    expectSame(*straight, *restored);
  }
}

TEST_F(InstructionClocks, WhatIsSavedTwiceIsTheSame) {
  auto guest = started(Ticking::deadline);
  runTo(*guest, 5'000);
  const MachineSnapshot first = guest->save();
  auto copy = guest->load(*hypervisor_, first);
  EXPECT_EQ(copy->save().cpus, first.cpus);
  EXPECT_EQ(copy->save().vm, first.vm);
}

TEST(HostClock, HasNoInstructionClock) {
  const std::unique_ptr<Hypervisor> hypervisor = require(openSoft());
  const std::unique_ptr<Vm> vm = require(hypervisor->createVm(PitModel::absent));
  EXPECT_EQ(vm->instructionClock(), nullptr);
}

}  // namespace
}  // namespace qm::contract
