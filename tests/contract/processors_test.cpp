// Several processors: started by INIT and SIPI (SDM 3A, 9.4), interrupting each other, saved and loaded together; and
// what CPUID tells each.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

#include "tests/contract/guest.h"
#include "tests/contract/interrupt_code.h"
#include "vmm/hypervisor/cpu_template/cpu_template.h"

namespace qm::contract {
namespace {

using namespace std::chrono_literals;

class Processors : public ContractTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Processors, testing::ValuesIn(backends()), backendName);

constexpr std::uint8_t kStartPage = 0x9;  // where SIPI starts them: 0x9000
constexpr std::uint16_t kCounter = 0x7000;
constexpr std::uint32_t kAllOthers = 3U << 18U, kAssert = 1U << 14U, kInit = 5U << 8U, kStartUp = 6U << 8U;

// Application processors on threads of their own, until the group goes.
class Others {
 public:
  Others(Guest& guest, std::uint32_t vcpus) : guest_(guest), vcpus_(vcpus) {
    for (std::uint32_t i = 1; i < vcpus; ++i) {
      threads_.emplace_back([this, i] {
        while (!stop_) {
          if (!std::holds_alternative<Interrupted>(guest_.vcpu(i).run())) ++unexpected_;
        }
      });
    }
  }
  ~Others() { end(); }
  void end() {
    stop_ = true;
    for (std::uint32_t i = 1; i < vcpus_ && !threads_.empty(); ++i) guest_.vcpu(i).kick();
    threads_.clear();
  }
  int unexpectedExits() const { return unexpected_; }

 private:
  Guest& guest_;
  std::uint32_t vcpus_;
  std::atomic<bool> stop_{false};
  std::atomic<int> unexpected_{0};
  std::vector<std::jthread> threads_;
};

// Each counts itself, and then counts on for ever at a place of the first one's choice.
GuestCode countAndSleep() {
  GuestCode code({kStartPage * kPageBytes}, CodeSize::bits16);
  code.clearDs();
  code.lockIncrement16(kCounter);
  const GuestCode::Label sleep = code.here();
  code.cli();
  code.hlt();
  code.jump(sleep);
  return code;
}

GuestCode countForEver() {
  GuestCode code({kStartPage * kPageBytes}, CodeSize::bits16);
  code.clearDs();
  code.lockIncrement16(kCounter);
  const GuestCode::Label again = code.here();
  code.lockIncrement16(kCounter + 8);
  code.jump(again);
  return code;
}

GuestCode starter(std::uint32_t others) {
  GuestCode code(kCode);
  enableLocalApic(code);
  code.poke(kLocalApic + kCommandLow, kAllOthers | kAssert | kInit);
  code.poke(kLocalApic + kCommandLow, kAllOthers | kAssert | kStartUp | kStartPage);
  code.move(Reg::rbx, kCounter);
  code.move(Reg::rcx, others);
  const GuestCode::Label wait = code.here();
  code.load(Reg::rax, Reg::rbx, Width::word);
  code.compare(Reg::rax, Reg::rcx);
  code.jumpIfNot(wait);
  code.report(kReportPort, Reg::rax);
  code.report(kDonePort, 0U);
  return code;
}

TEST_P(Processors, EightAreStartedByTheFirst) {
  constexpr std::uint32_t kCount = 8;
  Guest guest(hypervisor(), {.vcpus = kCount});
  guest.startLongMode(starter(kCount - 1));
  guest.place(countAndSleep());
  Others others(guest, kCount);
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{kCount - 1}));
  others.end();
  EXPECT_EQ(others.unexpectedExits(), 0);
}

TEST_P(Processors, AllGoOnAfterALoad) {
  constexpr std::uint32_t kCount = 4;
  Guest guest(hypervisor(), {.vcpus = kCount});
  guest.startLongMode(starter(kCount - 1));
  guest.place(countForEver());
  {
    const Others others(guest, kCount);
    EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{kCount - 1}));
  }
  const auto copy = guest.copy(hypervisor());
  for (std::uint32_t i = 1; i < kCount; ++i) {
    // One at a time, so that each is seen to count.
    copy->writeObject({kCounter + 8}, std::uint64_t{0});
    std::jthread kicker([&] {
      std::this_thread::sleep_for(20ms);
      copy->vcpu(i).kick();
    });
    EXPECT_TRUE(std::holds_alternative<Interrupted>(copy->vcpu(i).run()));
    EXPECT_GT(copy->readObject<std::uint16_t>({kCounter + 8}), 0U) << "processor " << i;
  }
}

TEST_P(Processors, OnesThatWereNotStartedAreStartedAfterALoad) {
  constexpr std::uint32_t kCount = 3;
  Guest guest(hypervisor(), {.vcpus = kCount});
  guest.startLongMode(starter(kCount - 1));
  guest.place(countAndSleep());
  const auto copy = guest.copy(hypervisor());
  const Others others(*copy, kCount);
  EXPECT_EQ(copy->runToEnd(), (std::vector<std::uint32_t>{kCount - 1}));
}

TEST_P(Processors, CpuidTellsWhatWasSet) {
  if (isEmulated()) GTEST_SKIP() << "this host's KVM lets the guest's cpuid tell of the host's own CPU";
  const CpuidTable table = require(applyCpuTemplate(kDefaultCpuTemplate, require(hypervisor().supportedCpuid()), 0, 1));
  const auto leaf1 = std::ranges::find(table, 1U, &CpuidEntry::leaf);
  GuestCode code(kCode);
  code.move(Reg::rax, 1);
  code.cpuid();
  code.move(Reg::r9, Reg::rcx);
  code.report(kReportPort, Reg::rax);
  code.report(kReportPort, Reg::rdx);
  code.report(kReportPort, Reg::r9);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  const auto reports = guest.runToEnd();
  ASSERT_EQ(reports.size(), 3U);
  constexpr std::uint32_t kOsxsave = 1U << 27U;  // mirrors CR4
  EXPECT_EQ(reports[0], leaf1->eax);
  EXPECT_EQ(reports[1], leaf1->edx);
  EXPECT_EQ(reports[2] & ~kOsxsave, leaf1->ecx & ~kOsxsave);
}

}  // namespace
}  // namespace qm::contract
