// A machine saved and loaded into another: the guest cannot tell. Each test stops a guest, goes on in a copy, and looks
// at what the copy does.
#include <algorithm>
#include <array>
#include <chrono>
#include <thread>

#include "tests/contract/guest.h"
#include "tests/contract/interrupt_code.h"

namespace qm::contract {
namespace {

using namespace std::chrono_literals;

class State : public ContractTest {};
INSTANTIATE_TEST_SUITE_P(Backends, State, testing::ValuesIn(backends()), backendName);

constexpr std::uint8_t kVector = 0x60;
constexpr std::uint32_t kArrived = 0xa1, kReady = 0xb1;

// What is left when time is taken out: the TSC, the APIC timer's count, the clock, the PIT's start.
CpuState withoutClock(CpuState state) {
  constexpr std::uint32_t kTsc = 0x10;
  std::erase_if(state.msrs, [](const MsrValue& msr) { return msr.index == kTsc; });
  std::ranges::fill(std::span(state.localApic.registers).subspan(kTimerCurrent, 4), std::byte{0});
  return state;
}

VmState withoutClock(VmState state) {
  state.clock = {};
  for (PitChannel& channel : state.pit.channels) channel.countLoadTimeNs = 0;
  return state;
}

void expectSame(const CpuState& first, const CpuState& second) {
  EXPECT_EQ(first.cpuid, second.cpuid);
  EXPECT_EQ(first.tscKhz, second.tscKhz);
  EXPECT_EQ(first.runState, second.runState);
  EXPECT_EQ(first.registers, second.registers);
  EXPECT_EQ(first.system, second.system);
  EXPECT_EQ(first.debug, second.debug);
  EXPECT_EQ(first.extended, second.extended);
  EXPECT_EQ(first.localApic, second.localApic);
  ASSERT_EQ(first.msrs.size(), second.msrs.size());
  for (std::size_t i = 0; i < first.msrs.size(); ++i) {
    EXPECT_EQ(first.msrs[i], second.msrs[i]) << std::hex << "MSR " << first.msrs[i].index << " was "
                                             << first.msrs[i].value << " and is " << second.msrs[i].value;
  }
  EXPECT_EQ(first.events, second.events);
}

constexpr std::uint64_t kFactor = 6364136223846793005, kRounds = 3000;

// Reports both halves of x after so many rounds of x = x * factor + round, and the round itself every 500.
GuestCode checksum() {
  GuestCode code(kCode);
  code.move(Reg::rbx, 1);
  code.move(Reg::rsi, kFactor);
  code.move(Reg::r8, kRounds);
  const GuestCode::Label again = code.here();
  code.multiply(Reg::rbx, Reg::rsi);
  code.add(Reg::rbx, Reg::r8);
  code.decrement(Reg::r8);
  code.jumpIfNot(again);
  code.report(kReportPort, Reg::rbx);
  code.shiftRight(Reg::rbx, 32);
  code.report(kReportPort, Reg::rbx);
  code.report(kDonePort, 0U);
  return code;
}

std::vector<std::uint32_t> expectedChecksum() {
  std::uint64_t x = 1;
  for (std::uint64_t round = kRounds; round > 0; --round) x = x * kFactor + round;
  return {static_cast<std::uint32_t>(x), static_cast<std::uint32_t>(x >> 32U)};
}

TEST_P(State, AComputationGoesOnInACopyWhereverItWasStopped) {
  auto guest = std::make_unique<Guest>(hypervisor());
  guest->startLongMode(checksum());
  for (int stops = 0; stops < 5; ++stops) {
    const auto delay = std::chrono::microseconds(200 * stops);
    const std::jthread kicker([&vcpu = guest->vcpu(), delay] {
      std::this_thread::sleep_for(delay);
      vcpu.kick();
    });
    const VcpuExit exit = guest->run();
    if (!std::holds_alternative<Interrupted>(exit)) break;  // it was done before the kick
    guest = guest->copy(hypervisor());
  }
  auto fresh = std::make_unique<Guest>(hypervisor());
  fresh->startLongMode(checksum());
  fresh->vcpu().kick();
  fresh->runTo<Interrupted>();
  EXPECT_EQ(fresh->copy(hypervisor())->runToEnd(), expectedChecksum());
}

TEST_P(State, SaveLoadSaveGivesTheSame) {
  GuestCode code(kCode);
  enableLocalApic(code);
  routePin(code, 20, kVector, Trigger::level);
  code.move(Reg::rsi, kData.value);
  code.loadXmm(7, Reg::rsi);
  code.report(kReportPort, kReady);
  Guest guest(hypervisor(), {.pit = PitModel::present});
  guest.startLongMode(code);
  guest.writeObject(kData, std::array<std::uint64_t, 2>{1, 2});
  EXPECT_EQ(guest.nextReport(), kReady);
  const MachineSnapshot first = guest.save();
  const MachineSnapshot second = guest.load(hypervisor(), first)->save();
  expectSame(withoutClock(first.cpus[0]), withoutClock(second.cpus[0]));
  EXPECT_EQ(withoutClock(first.vm), withoutClock(second.vm));
  EXPECT_GE(second.vm.clock.guestNs, first.vm.clock.guestNs);
}

TEST_P(State, SavingTwiceGivesTheSame) {
  Guest guest(hypervisor());
  guest.startLongMode(checksum());
  guest.nextReport();
  const MachineSnapshot first = guest.save();
  expectSame(withoutClock(first.cpus[0]), withoutClock(guest.save().cpus[0]));
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{expectedChecksum()[1]}));
}

TEST_P(State, AFreshMachineIsSavedAndLoaded) {
  Guest guest(hypervisor(), {.vcpus = 2});
  const MachineSnapshot first = guest.save();
  const MachineSnapshot second = guest.load(hypervisor(), first)->save();
  EXPECT_EQ(first.cpus[1].runState, RunState::uninitialized);
  for (std::size_t i = 0; i < 2; ++i) expectSame(withoutClock(first.cpus[i]), withoutClock(second.cpus[i]));
}

TEST_P(State, APortWriteIsNotRepeated) {
  GuestCode code(kCode);
  code.report(kReportPort, 1U);
  code.report(kReportPort, 2U);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  EXPECT_EQ(guest.nextReport(), 1U);
  EXPECT_EQ(guest.copy(hypervisor())->runToEnd(), (std::vector<std::uint32_t>{2}));
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{2}));
}

TEST_P(State, AReadThatWasAnsweredIsInTheRegisters) {
  GuestCode code(kCode);
  code.in(0x80, Width::dword);
  code.report(kReportPort, Reg::rax);
  code.move(Reg::rbx, kMmio.value);
  code.load(Reg::rax, Reg::rbx, Width::dword);
  code.report(kReportPort, Reg::rax);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.runTo<IoRead>();
  guest.vcpu().completeRead(4711);
  const auto copy = guest.copy(hypervisor());
  EXPECT_EQ(copy->nextReport(), 4711U);
  copy->runTo<MmioRead>();
  copy->vcpu().completeRead(4712);
  EXPECT_EQ(copy->copy(hypervisor())->runToEnd(), (std::vector<std::uint32_t>{4712}));
}

TEST_P(State, AnMmioWriteIsNotRepeated) {
  GuestCode code(kCode);
  code.poke(kMmio.value, 1);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.runTo<MmioWrite>();
  EXPECT_TRUE(guest.copy(hypervisor())->runToEnd().empty());
}

// A backend may be unable to save there; then it says so, and the guest goes on unharmed.
void expectSavedOrRetry(const Result<CpuState>& saved) {
  EXPECT_TRUE(saved.has_value() || saved.error().remedy() == Remedy::retry);
}

TEST_P(State, AskingForItInTheMiddleOfAnAccessThatComesInPartsDoesNoHarm) {
  GuestCode code(kCode);
  code.move(Reg::rbx, kMmio.value);
  code.storeXmm(Reg::rbx, 0);
  code.loadXmm(0, Reg::rbx);
  code.move(Reg::rdx, 0x80);
  code.move(Reg::rsi, kData.value);
  code.move(Reg::rcx, 2);
  code.outs(Width::byte, Repeat::rcxTimes);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  EXPECT_EQ(guest.runTo<MmioWrite>().address, kMmio);
  expectSavedOrRetry(guest.vcpu().save());
  expectSavedOrRetry(guest.vcpu().save());
  EXPECT_EQ(guest.runTo<MmioWrite>().address, kMmio + 8);
  require(guest.vcpu().save());
  EXPECT_EQ(guest.runTo<MmioRead>().address, kMmio);
  guest.vcpu().completeRead(1);
  expectSavedOrRetry(guest.vcpu().save());
  EXPECT_EQ(guest.runTo<MmioRead>().address, kMmio + 8);
  guest.vcpu().completeRead(2);
  guest.runTo<IoWrite>();
  expectSavedOrRetry(guest.vcpu().save());
  EXPECT_EQ(guest.runTo<IoWrite>().port, 0x80);
  EXPECT_TRUE(guest.copy(hypervisor())->runToEnd().empty());
}

TEST_P(State, SseRegistersTravel) {
  constexpr std::uint64_t kOut = kData.value + 0x1000;
  GuestCode code(kCode);
  for (std::uint8_t i = 0; i < 16; ++i) {
    code.move(Reg::rsi, kData.value + i * 16U);
    code.loadXmm(i, Reg::rsi);
  }
  code.report(kReportPort, kReady);
  for (std::uint8_t i = 0; i < 16; ++i) {
    code.move(Reg::rsi, kOut + i * 16U);
    code.storeXmm(Reg::rsi, i);
  }
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  std::array<std::uint32_t, 64> pattern{};
  for (std::uint32_t i = 0; i < pattern.size(); ++i) pattern[i] = 0x9e37'79b9U * (i + 1);
  guest.writeObject(kData, pattern);
  EXPECT_EQ(guest.nextReport(), kReady);
  const auto copy = guest.copy(hypervisor());
  copy->runToEnd();
  EXPECT_EQ((copy->readObject<std::array<std::uint32_t, 64>>({kOut})), pattern);
}

TEST_P(State, MxcsrAndTheX87StackTravel) {
  if (isEmulated()) GTEST_SKIP() << "this host's KVM emulates kernel mode, without ldmxcsr and x87";
  constexpr std::uint32_t kRoundUp = 0x5f80;
  GuestCode code(kCode);
  code.move(Reg::rsi, kData.value);
  code.loadMxcsr(Reg::rsi);
  code.initialiseX87();
  code.pushPi();
  code.report(kReportPort, kReady);
  code.move(Reg::rsi, kData.value + 0x100);
  code.storeMxcsr(Reg::rsi);
  code.move(Reg::rsi, kData.value + 0x110);
  code.popReal(Reg::rsi);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.writeObject(kData, kRoundUp);
  EXPECT_EQ(guest.nextReport(), kReady);
  const auto copy = guest.copy(hypervisor());
  copy->runToEnd();
  EXPECT_EQ(copy->readObject<std::uint32_t>(kData + 0x100), kRoundUp);
  EXPECT_EQ(copy->readObject<std::uint64_t>(kData + 0x110), 0xc90f'daa2'2168'c235U);  // pi's significand
}

struct MsrPair {
  std::uint32_t index;
  std::uint64_t value;
};
// IA32_SYSENTER_CS, _ESP and _EIP (of which AMD keeps 32 bits: APM 2, 6.1.2), PAT, STAR, LSTAR, CSTAR, FMASK, FS_BASE,
// GS_BASE, KERNEL_GS_BASE.
constexpr std::array<MsrPair, 11> kMsrs{{{0x174, 0x10},
                                         {0x175, 0x1234'5000},
                                         {0x176, 0x1234'6000},
                                         {0x277, 0x0007'0406'0007'0106},
                                         {0xc000'0081, 0x0023'0010'0000'0000},
                                         {0xc000'0082, 0xffff'8000'0000'1000},
                                         {0xc000'0083, 0xffff'8000'0000'2000},
                                         {0xc000'0084, 0x4700},
                                         {0xc000'0100, 0x7fff'0000'1000},
                                         {0xc000'0101, 0x7fff'0000'2000},
                                         {0xc000'0102, 0xffff'8000'0000'3000}}};

// Writes them, reports that it is ready, reports what it reads, and ends.
GuestCode writeAndReadMsrs() {
  GuestCode code(kCode);
  for (const MsrPair& msr : kMsrs) code.writeMsr(msr.index, msr.value);
  code.report(kReportPort, kReady);
  for (const MsrPair& msr : kMsrs) {
    code.move(Reg::rcx, msr.index);
    code.rdmsr();
    code.report(kReportPort, Reg::rax);
    code.report(kReportPort, Reg::rdx);
  }
  code.report(kDonePort, 0U);
  return code;
}

std::vector<std::uint32_t> expectedMsrReports() {
  std::vector<std::uint32_t> expected;
  for (const MsrPair& msr : kMsrs) {
    expected.push_back(static_cast<std::uint32_t>(msr.value));
    expected.push_back(static_cast<std::uint32_t>(msr.value >> 32U));
  }
  return expected;
}

TEST_P(State, MsrsTravel) {
  Guest guest(hypervisor());
  guest.startLongMode(writeAndReadMsrs());
  EXPECT_EQ(guest.nextReport(), kReady);
  EXPECT_EQ(guest.copy(hypervisor())->runToEnd(), expectedMsrReports());
}

TEST_P(State, MsrsTravelToEveryOtherBackendThatIsHere) {
  if (isLabsKvm()) GTEST_SKIP() << "the lab's KVM cannot scale the TSC to what another measured";
  Guest guest(hypervisor());
  guest.startLongMode(writeAndReadMsrs());
  EXPECT_EQ(guest.nextReport(), kReady);
  for (const Backend& backend : backends()) {
    const auto other = backend.open();
    if (other.has_value()) EXPECT_EQ(guest.copy(**other)->runToEnd(), expectedMsrReports()) << "to " << backend.name;
  }
}

TEST_P(State, DebugRegistersTravel) {
  GuestCode code(kCode);
  for (std::uint8_t i = 0; i < 4; ++i) {
    code.move(Reg::rax, 0x1000U * (i + 1));
    code.moveToDebug(i, Reg::rax);
  }
  code.report(kReportPort, kReady);
  for (std::uint8_t i = 0; i < 4; ++i) {
    code.moveFromDebug(Reg::rax, i);
    code.report(kReportPort, Reg::rax);
  }
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  EXPECT_EQ(guest.nextReport(), kReady);
  EXPECT_EQ(require(guest.vcpu().save()).debug.db, (std::array<std::uint64_t, 4>{0x1000, 0x2000, 0x3000, 0x4000}));
  EXPECT_EQ(guest.copy(hypervisor())->runToEnd(), (std::vector<std::uint32_t>{0x1000, 0x2000, 0x3000, 0x4000}));
}

// A guest that does `before`, reports, then waits with interrupts on until one has come, gives another a chance, and
// ends.
std::unique_ptr<Guest> waiter(Hypervisor& hypervisor, void (*before)(GuestCode&)) {
  GuestCode code(kCode);
  enableLocalApic(code);
  code.poke(kLocalApic + kTimerDivide, kDivideByOne);
  before(code);
  code.report(kReportPort, kReady);
  waitForInterrupts(code, 1);
  code.report(kReportPort, kReady);
  code.sti();
  code.nop();
  code.nop();
  code.cli();
  code.report(kDonePort, 0U);
  const GuestCode::Label handler = emitCountingHandler(code, kArrived);
  auto guest = std::make_unique<Guest>(hypervisor);
  guest->startLongMode(code);
  guest->setHandler(kVector, code.address(handler));
  EXPECT_EQ(guest->nextReport(), kReady);
  return guest;
}

TEST_P(State, AnInterruptThatIsPendingInTheLocalApicArrives) {
  const auto guest = waiter(hypervisor(), [](GuestCode& code) { interruptSelf(code, kVector); });
  EXPECT_EQ(guest->copy(hypervisor())->runToEnd(), (std::vector<std::uint32_t>{kArrived, kReady}));
}

TEST_P(State, ALevelThatIsHighArrives) {
  const auto guest = waiter(hypervisor(), [](GuestCode& code) { routePin(code, 20, kVector, Trigger::level); });
  require(guest->vm().setInterruptLine(20, true));
  const auto copy = guest->copy(hypervisor());
  EXPECT_EQ(copy->nextReport(), kArrived);
  require(copy->vm().setInterruptLine(20, false));
  EXPECT_EQ(copy->runToEnd(), (std::vector<std::uint32_t>{kReady}));
}

constexpr std::uint32_t kLongTicks = 50'000'000;  // 50 ms: past the save, in time for the load

TEST_P(State, AOneShotTimerThatIsArmedFires) {
  const auto guest = waiter(hypervisor(), [](GuestCode& code) {
    code.poke(kLocalApic + kLvtTimer, kVector);
    code.poke(kLocalApic + kTimerInitial, kLongTicks);
  });
  EXPECT_EQ(guest->copy(hypervisor())->runToEnd(), (std::vector<std::uint32_t>{kArrived, kReady}));
}

TEST_P(State, AOneShotTimerThatRanOutBeforeTheSaveFires) {
  const auto guest = waiter(hypervisor(), [](GuestCode& code) {
    code.poke(kLocalApic + kLvtTimer, kVector);
    code.poke(kLocalApic + kTimerInitial, 1'000'000);
  });
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(guest->copy(hypervisor())->runToEnd(), (std::vector<std::uint32_t>{kArrived, kReady}));
}

TEST_P(State, APeriodicTimerGoesOn) {
  const auto guest = waiter(hypervisor(), [](GuestCode& code) {
    code.poke(kLocalApic + kLvtTimer, kTimerPeriodic | kVector);
    code.poke(kLocalApic + kTimerInitial, kLongTicks);
  });
  EXPECT_EQ(guest->copy(hypervisor())->nextReport(), kArrived);
}

void armDeadline(GuestCode& code, std::uint64_t ticks) {
  code.poke(kLocalApic + kLvtTimer, kTimerDeadline | kVector);
  code.rdtsc();
  code.move(Reg::r9, ticks);
  code.add(Reg::rax, Reg::r9);
  code.move(Reg::r9, Reg::rax);
  code.shiftRight(Reg::r9, 32);
  code.add(Reg::rdx, Reg::r9);  // the carry
  code.move(Reg::rcx, kDeadlineMsr);
  code.wrmsr();
}

TEST_P(State, ADeadlineThatIsArmedFires) {
  const auto guest = waiter(hypervisor(), [](GuestCode& code) { armDeadline(code, 4 * kLongTicks); });
  EXPECT_EQ(guest->copy(hypervisor())->runToEnd(), (std::vector<std::uint32_t>{kArrived, kReady}));
}

TEST_P(State, ADeadlineThatPassedBeforeTheSaveFires) {
  const auto guest = waiter(hypervisor(), [](GuestCode& code) { armDeadline(code, 1'000'000); });
  std::this_thread::sleep_for(50ms);
  EXPECT_EQ(guest->copy(hypervisor())->runToEnd(), (std::vector<std::uint32_t>{kArrived, kReady}));
}

TEST_P(State, ADeadlineThatHasFiredDoesNotFireAgain) {
  const auto guest = waiter(hypervisor(), [](GuestCode& code) { armDeadline(code, 1'000'000); });
  EXPECT_EQ(guest->nextReport(), kArrived);
  EXPECT_EQ(guest->nextReport(), kReady);
  EXPECT_TRUE(guest->copy(hypervisor())->runToEnd().empty());
}

TEST_P(State, AOneShotTimerThatHasFiredDoesNotFireAgain) {
  const auto guest = waiter(hypervisor(), [](GuestCode& code) {
    code.poke(kLocalApic + kLvtTimer, kVector);
    code.poke(kLocalApic + kTimerInitial, 1'000'000);
  });
  EXPECT_EQ(guest->nextReport(), kArrived);
  EXPECT_EQ(guest->nextReport(), kReady);
  EXPECT_TRUE(guest->copy(hypervisor())->runToEnd().empty());
}

TEST_P(State, ASleepingGuestSleepsOnAndIsWoken) {
  const auto guest = waiter(hypervisor(), [](GuestCode& code) { routePin(code, 20, kVector, Trigger::edge); });
  const std::jthread kicker([&vcpu = guest->vcpu()] {
    std::this_thread::sleep_for(50ms);
    vcpu.kick();
  });
  guest->runTo<Interrupted>();
  const auto copy = guest->copy(hypervisor());
  require(copy->vm().setInterruptLine(20, true));
  require(copy->vm().setInterruptLine(20, false));
  EXPECT_EQ(copy->runToEnd(), (std::vector<std::uint32_t>{kArrived, kReady}));
}

TEST_P(State, TheTimeStampCounterDoesNotGoBack) {
  GuestCode code(kCode);
  for (int i = 0; i < 2; ++i) {
    code.rdtsc();
    code.report(kReportPort, Reg::rdx);
    code.rdtsc();
    code.report(kReportPort, Reg::rax);
  }
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  // Under a second old, as a guest that booted fast is: KVM may take a TSC that is set close to the machine's own for
  // an attempt to synchronise, and keep its own.
  std::this_thread::sleep_for(500ms);
  const std::uint64_t beforeHigh = guest.nextReport();
  const std::uint64_t before = beforeHigh << 32U | guest.nextReport();
  const auto reports = guest.copy(hypervisor())->runToEnd();
  const std::uint64_t after = std::uint64_t{reports[0]} << 32U | reports[1];
  EXPECT_GT(after, before);
  const std::uint64_t tscPerSecond = std::uint64_t{require(guest.vcpu().save()).tscKhz} * 1000;
  EXPECT_LT(after - before, 2 * tscPerSecond);
}

TEST_P(State, AResumedGuestSeesThatItWasStopped) {
  constexpr std::uint32_t kSystemTime = 0x4b56'4d01;  // KVM's paravirtual clock
  constexpr std::uint64_t kFlags = 29;                // in pvclock_vcpu_time_info; bit 1: the guest was stopped
  const CpuidTable cpuid = require(hypervisor().supportedCpuid());
  const bool offered = std::ranges::any_of(
      cpuid, [](const CpuidEntry& entry) { return entry.leaf == 0x4000'0001 && (entry.eax >> 3U & 1U) != 0; });
  if (!offered) GTEST_SKIP() << "this host has no kvmclock";
  GuestCode code(kCode);
  code.writeMsr(kSystemTime, kData.value | 1U);
  code.report(kReportPort, 1U);
  code.report(kReportPort, 2U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  require(guest.vcpu().markResumed());  // no clock yet: nobody to tell
  EXPECT_EQ(guest.nextReport(), 1U);
  const auto copy = guest.copy(hypervisor());
  require(copy->vcpu().markResumed());
  EXPECT_EQ(copy->nextReport(), 2U);
  EXPECT_EQ(copy->readObject<std::uint8_t>(kData + kFlags) & 2U, 2U);
}

}  // namespace
}  // namespace qm::contract
