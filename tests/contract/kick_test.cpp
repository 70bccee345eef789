// kick(): whoever is in run(), or about to be, comes out.
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/contract/guest.h"

namespace qm::contract {
namespace {

using namespace std::chrono_literals;

class Kick : public ContractTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Kick, testing::ValuesIn(backends()), backendName);

GuestCode endlessLoop() {
  GuestCode code(kCode);
  const GuestCode::Label again = code.here();
  code.increment(Reg::rax);
  code.jump(again);
  return code;
}

TEST_P(Kick, BeforeRunIsNotLost) {
  Guest guest(hypervisor());
  guest.startLongMode(endlessLoop());
  guest.vcpu().kick();
  guest.runTo<Interrupted>();
}

TEST_P(Kick, ManyBeforeRunAreOne) {
  GuestCode code(kCode);
  code.report(kReportPort, 1U);
  code.report(kReportPort, 2U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  EXPECT_EQ(guest.nextReport(), 1U);
  for (int i = 0; i < 3; ++i) guest.vcpu().kick();
  guest.runTo<Interrupted>();
  EXPECT_EQ(guest.nextReport(), 2U);
}

TEST_P(Kick, EndsARunThatComputes) {
  Guest guest(hypervisor());
  guest.startLongMode(endlessLoop());
  const std::jthread other([&] {
    std::this_thread::sleep_for(20ms);
    guest.vcpu().kick();
  });
  guest.runTo<Interrupted>();
  EXPECT_GT(require(guest.vcpu().registers()).rax, 0U);
}

TEST_P(Kick, EndsARunThatSleepsForGood) {
  GuestCode code(kCode);
  code.cli();
  code.hlt();
  Guest guest(hypervisor());
  guest.startLongMode(code);
  const std::jthread other([&] {
    std::this_thread::sleep_for(20ms);
    guest.vcpu().kick();
  });
  guest.runTo<Interrupted>();
}

TEST_P(Kick, KeepsTheAnswerOfARead) {
  GuestCode code(kCode);
  code.in(0x80, Width::dword);
  code.report(kReportPort, Reg::rax);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.runTo<IoRead>();
  guest.vcpu().completeRead(4711);
  guest.vcpu().kick();
  guest.runTo<Interrupted>();
  EXPECT_EQ(guest.nextReport(), 4711U);
}

TEST_P(Kick, BeforeASaveIsNotLost) {
  GuestCode code(kCode);
  code.report(kReportPort, 1U);
  code.report(kReportPort, 2U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  EXPECT_EQ(guest.nextReport(), 1U);
  guest.vcpu().kick();
  require(guest.vcpu().save());
  guest.runTo<Interrupted>();
  EXPECT_EQ(guest.nextReport(), 2U);
}

TEST_P(Kick, AccessesThatComeInPartsAreWholeBeforeInterruptedIsAnswered) {
  GuestCode code(kCode);
  code.move(Reg::rdx, 0x80);
  code.move(Reg::rsi, kData.value);
  code.move(Reg::rcx, 3);
  code.outs(Width::byte, Repeat::rcxTimes);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.runTo<IoWrite>();
  guest.vcpu().kick();
  std::uint64_t elements = 1;
  VcpuExit exit = guest.run();
  for (; std::holds_alternative<IoWrite>(exit); exit = guest.run()) ++elements;
  ASSERT_TRUE(std::holds_alternative<Interrupted>(exit)) << describe(exit);
  const Registers at = require(guest.vcpu().save()).registers;
  EXPECT_EQ(at.rsi, kData.value + elements);
  EXPECT_EQ(at.rcx, 3 - elements);
}

TEST_P(Kick, NoneOfManyInARaceIsLost) {
  Guest guest(hypervisor());
  guest.startLongMode(endlessLoop());
  constexpr int kRounds = 200;
  std::atomic<int> asked{0};
  std::atomic<int> answered{0};
  const std::jthread other([&] {
    for (int i = 1; i <= kRounds; ++i) {
      asked = i;
      guest.vcpu().kick();
      while (answered < i) std::this_thread::yield();
    }
  });
  for (int i = 1; i <= kRounds; ++i) {
    while (asked < i) std::this_thread::yield();
    guest.runTo<Interrupted>();  // hangs, and so fails, if the kick got lost
    answered = i;
  }
}

}  // namespace
}  // namespace qm::contract
