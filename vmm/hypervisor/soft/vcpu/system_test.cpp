// The system instructions, by a guest that uses them (system_guest.S): what it finds is what the SDM says of each.
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <span>
#include <stdexcept>
#include <variant>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "vmm/hypervisor/soft/cpu/flags.h"
#include "vmm/hypervisor/soft/soft_hypervisor.h"
#include "vmm/os/mapping.h"

extern "C" {
extern const std::byte system_guest[], system_guest_end[], user_pages[], user_pages_end[];
}

namespace qm::soft {
namespace {

using Reports = std::vector<std::uint32_t>;

// The parts of system_guest.S, in its order.
enum class Part : std::uint64_t {
  modes,
  segmentLoads,
  closedSegments,
  questions,
  systemCalls,
  fastSystemCalls,
  faultsOfUsers,
  timeOfUsers,
  portsOfUsers,
  userPageGuard,
  controlRegisters,
  pcids,
  debugRegisters,
  farReturns,
  interruptReturns,
  bases,
  translations,
  compatibilityMode,
  softwareInterrupts,
  interruptShadow,
  exitsTo32Bits,
  singleSteps,
};

// As the guest reports an exception, before its error code.
constexpr std::uint32_t kDebug = 0xee01, kBreakpoint = 0xee03, kInvalidOpcode = 0xee06, kNotAvailable = 0xee07,
                        kNotPresent = 0xee0b, kStackFault = 0xee0c, kGeneralProtection = 0xee0d, kPageFault = 0xee0e;

template <class T>
T require(Result<T> result) {
  if (!result.has_value()) throw std::runtime_error(result.error().text());
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

// One vCPU and 2 MiB of RAM with the guest at its place.
class SystemGuest {
 public:
  explicit SystemGuest(Part part);
  // All that it reports until its end.
  Reports run();

 private:
  static constexpr std::size_t kRamBytes = 2 * 1024 * 1024, kOrigin = 0x8000, kTables = 0x40000;
  template <class T>
  void write(std::size_t at, const T& value) {
    std::memcpy(ram_.bytes().data() + at, &value, sizeof value);
  }
  void writePageTables();

  Mapping ram_ = require(Mapping::anonymous(kRamBytes));
  std::unique_ptr<Hypervisor> hypervisor_ = require(openSoft());
  std::unique_ptr<Vm> vm_ = require(hypervisor_->createVm(PitModel::absent));
  std::unique_ptr<Vcpu> vcpu_;
};

SystemGuest::SystemGuest(Part part) {
  std::memcpy(ram_.bytes().data() + kOrigin, system_guest, static_cast<std::size_t>(system_guest_end - system_guest));
  writePageTables();
  require(vm_->setMemory({.start = GuestAddress{0}, .host = ram_.bytes()}));
  vcpu_ = require(vm_->createVcpu(0));
  require(vcpu_->setCpuid(require(hypervisor_->supportedCpuid())));
  SystemRegisters system = require(vcpu_->systemRegisters());
  system.cs.selector = kOrigin >> 4U;
  system.cs.base = kOrigin;
  require(vcpu_->setRegisters({.rbx = static_cast<std::uint64_t>(part)}, system));
}

// 4 KiB pages that map the first 2 MiB to themselves.
void SystemGuest::writePageTables() {
  constexpr std::uint64_t kPresent = 1, kWritable = 2, kUser = 4, kTable = kPresent | kWritable | kUser;
  for (std::size_t level = 0; level < 3; ++level)
    write(kTables + level * 0x1000, kTables + (level + 1) * 0x1000 | kTable);
  const auto userBegin = kOrigin + static_cast<std::size_t>(user_pages - system_guest);
  const auto userEnd = kOrigin + static_cast<std::size_t>(user_pages_end - system_guest);
  for (std::size_t page = 0; page < kRamBytes; page += 0x1000) {
    const bool isUser = page >= userBegin && page < userEnd;
    write(kTables + 0x3000 + page / 0x1000 * 8, page | kPresent | kWritable | (isUser ? kUser : 0));
  }
}

Reports SystemGuest::run() {
  constexpr std::uint16_t kEndPort = 0x11;
  Reports reports;
  for (;;) {
    const VcpuExit exit = vcpu_->run();
    if (const auto* fault = std::get_if<qm::Fault>(&exit)) throw std::runtime_error(fault->reason);
    const auto* write = std::get_if<IoWrite>(&exit);
    if (write == nullptr) throw std::runtime_error("an exit that is no write to a port");
    if (write->port == kEndPort) return reports;
    reports.push_back(write->value);
  }
}

Reports reportsOf(Part part) {
  return SystemGuest(part).run();
}

TEST(SystemInstructions, GoFromRealModeByProtectedModeTo64BitMode) {
  constexpr std::uint32_t kCode = 8, kCr0 = 0xe001'0011, kEfer = 0xd01, kTask = 0x38, kBusyTask = 0x8b;
  EXPECT_EQ(reportsOf(Part::modes), (Reports{kCode, kCr0, kEfer, kTask, kCr0, kBusyTask}));
}

TEST(SystemInstructions, LoadSegmentsThatTheDescriptorAllows) {
  EXPECT_EQ(reportsOf(Part::segmentLoads), (Reports{
                                               0x48,
                                               0x93,  // DS, and its descriptor's accessed bit
                                               kNotPresent,
                                               0x50,  //
                                               kGeneralProtection,
                                               0x1000,  // beyond the table
                                               0x60,
                                               0x58,
                                               0x2b,  // read-only, conforming, the user's
                                               kGeneralProtection,
                                               0x38,  // a task
                                               kGeneralProtection,
                                               0x0c,  // of no LDT
                                               kGeneralProtection,
                                               0x60,  // SS: not writable
                                               kGeneralProtection,
                                               0x28,  // SS: the user's
                                               kStackFault,
                                               0x50,  // SS: not present
                                               kGeneralProtection,
                                               0,
                                               0,  // SS: null with RPL 1, with RPL 0
                                               0x10,
                                               0x2b,  // SS, FS by POP
                                               0x10,
                                               0,  // SS:RSP by LSS
                                               kGeneralProtection,
                                               0x38,
                                               0,  // LTR of a busy task, SLDT
                                           }));
}

TEST(SystemInstructions, ReturnToUserCodeWithoutTheKernelsSegments) {
  EXPECT_EQ(reportsOf(Part::closedSegments), (Reports{0, 0x2b, 0x1234, 0x2b}));
}

TEST(SystemInstructions, AnswerQuestionsAboutSegments) {
  EXPECT_EQ(reportsOf(Part::questions), (Reports{0x00a0'fb00, 0xf, 0xffff'ffff, 0x00a0'9f00, 0b101'1010}));
}

TEST(SystemInstructions, CallTheSystemAndReturnFromIt) {
  EXPECT_EQ(reportsOf(Part::systemCalls), (Reports{
                                              0, 0x4d7, 0xd6, 8, 0x10,     // RCX, R11, RFLAGS, CS, SS in the kernel
                                              kGeneralProtection, 0,       // to an address that is not canonical
                                              0x7000, 0x33, 0x2b, 0x1ad7,  // RSP, CS, SS, RFLAGS in user code
                                              kInvalidOpcode, 0,           // EFER.SCE is clear
                                          }));
}

TEST(SystemInstructions, CallTheSystemFastAndReturnFromIt) {
  EXPECT_EQ(reportsOf(Part::fastSystemCalls), (Reports{kGeneralProtection, 0, 2, 0x6f00, 8, 0x10, 0x2b, 0x33, 0}));
}

TEST(SystemInstructions, AreTheKernelsAlone) {
  Reports expected;
  const auto expect = [&expected](std::size_t times, std::uint32_t exception, std::uint32_t errorCode) {
    for (std::size_t i = 0; i < times; ++i) expected.insert(expected.end(), {exception, errorCode});
  };
  expect(19, kGeneralProtection, 0);  // hlt to in
  expect(2, kInvalidOpcode, 0);       // clac, stac
  expect(4, kGeneralProtection, 0);   // ltr, sysret, sysexit
  expect(1, kInvalidOpcode, 0);       // ud2
  expect(1, kGeneralProtection, 3 * 8 + 2);
  expect(1, kGeneralProtection, 0x41 * 8 + 2);
  EXPECT_EQ(reportsOf(Part::faultsOfUsers), expected);
}

TEST(SystemInstructions, TellUserCodeTheTimeUnlessTheKernelForbidsIt) {
  EXPECT_EQ(reportsOf(Part::timeOfUsers), (Reports{0x77, 0x77, kGeneralProtection, 0}));
}

TEST(SystemInstructions, OpenPortsToUserCodeByTheTasksMapAndByIopl) {
  EXPECT_EQ(reportsOf(Part::portsOfUsers), (Reports{0x4444, kGeneralProtection, 0, kGeneralProtection, 0, 0x5555}));
}

TEST(SystemInstructions, GuardUserPagesFromTheKernel) {
  constexpr std::uint32_t kRead = 1, kFetch = 0x11;
  EXPECT_EQ(reportsOf(Part::userPageGuard), (Reports{0x9999, kPageFault, kRead, 0x9999, kPageFault, kRead, 0x9999,
                                                     kPageFault, kRead, kPageFault, kFetch}));
}

TEST(SystemInstructions, RefuseWhatControlRegistersCannotHold) {
  Reports expected;
  for (std::size_t i = 0; i < 4; ++i) expected.insert(expected.end(), {kGeneralProtection, 0});
  expected.insert(expected.end(), {
                                      0x8005'0031,  // CR0
                                      kGeneralProtection,
                                      0,
                                      kGeneralProtection,
                                      0,
                                      0xaa0,  // CR4
                                      kGeneralProtection,
                                      0,
                                      0x4'0018,    // CR3
                                      0x123'4567,  // CR2
                                      kGeneralProtection,
                                      0,
                                      5,
                                      0,  // CR8
                                      kInvalidOpcode,
                                      0,  // CR5
                                      0x8005'003b,
                                      kNotAvailable,
                                      0,
                                      0x8005'0033,  // LMSW, CLTS
                                  });
  EXPECT_EQ(reportsOf(Part::controlRegisters), expected);
}

TEST(SystemInstructions, ForgetTranslationsByPcid) {
  EXPECT_EQ(reportsOf(Part::pcids), (Reports{kGeneralProtection, 0, 0x4'0005, 0, 0, 0, 0, 0, kGeneralProtection, 0,
                                             kGeneralProtection, 0, kGeneralProtection, 0}));
}

TEST(SystemInstructions, MoveDebugRegisters) {
  EXPECT_EQ(reportsOf(Part::debugRegisters),
            (Reports{0xffff'0ff0, 0xffff'07ff, 0xdead'beef, 0xffff'0ff1, kGeneralProtection, 0, kInvalidOpcode, 0,
                     kDebug, 0, 0xffff'2ff0, 0x400}));
}

TEST(SystemInstructions, CallFarAndReturn) {
  EXPECT_EQ(reportsOf(Part::farReturns),
            (Reports{8, 0, kGeneralProtection, 0, kGeneralProtection, 0x10, kGeneralProtection, 0x1008,
                     kGeneralProtection, 0, kGeneralProtection, 0x30, 0x33, 0}));
}

TEST(SystemInstructions, ReturnFromInterruptsWhereTheFrameAllowsIt) {
  EXPECT_EQ(reportsOf(Part::interruptReturns), (Reports{
                                                   kGeneralProtection,
                                                   0,
                                                   kGeneralProtection,
                                                   0x10,
                                                   kGeneralProtection,
                                                   0,  // CS, RIP
                                                   kGeneralProtection,
                                                   0,
                                                   kGeneralProtection,
                                                   0x10,
                                                   kGeneralProtection,
                                                   8,  // SS; CS
                                                   kStackFault,
                                                   0x50,
                                                   kGeneralProtection,
                                                   0,  // SS; NT
                                                   0x24'3cd7,
                                                   0x6f80,
                                                   0,  // RFLAGS, RSP, SS
                                                   0x7000,
                                                   0x10,  // of a frame of 32 bits
                                                   2,     // user code opens nothing
                                               }));
}

TEST(SystemInstructions, MoveTheBasesOfFsAndGs) {
  EXPECT_EQ(reportsOf(Part::bases),
            (Reports{kGeneralProtection, 0, 0x1234'0000, 0x5678, 0x1234'0000, 0x6767, 0x6767, 0, kInvalidOpcode, 0}));
}

TEST(SystemInstructions, ForgetTranslationsThatHaveChanged) {
  constexpr std::uint32_t kWriteToReadOnly = 3;
  EXPECT_EQ(reportsOf(Part::translations), (Reports{1, 2, 1, 2, 1, kPageFault, kWriteToReadOnly, 3}));
}

TEST(SystemInstructions, Run32BitCodeUnderIa32eMode) {
  EXPECT_EQ(reportsOf(Part::compatibilityMode), (Reports{0x18, 0, 0x23, 0x2b}));
}

TEST(SystemInstructions, InterruptBySoftware) {
  EXPECT_EQ(reportsOf(Part::softwareInterrupts), (Reports{kBreakpoint, 0, 0, kGeneralProtection, 0x41 * 8 + 2,
                                                          kGeneralProtection, 0xff * 8 + 2, kDebug, 0}));
}

TEST(SystemInstructions, ExitTo32BitCodeToo) {
  EXPECT_EQ(reportsOf(Part::exitsTo32Bits), (Reports{0x23, 0x2b, 0x1b, 0x23}));
}

TEST(SystemInstructions, HoldInterruptsBackBehindSti) {
  EXPECT_EQ(reportsOf(Part::interruptShadow), (Reports{2}));
}

TEST(SystemInstructions, AreSteppedOneLaterBehindALoadOfSsAndOnceMoreByThePopfThatEndsIt) {
  EXPECT_EQ(reportsOf(Part::singleSteps), (Reports{kDebug, 0, 1, kDebug, 0, 0}));
}

// A #DB whose delivery had begun has its causes in DR6; CR2 is page faults' (SDM 3B, 17.2.3).
TEST(InjectedException, HasThePayloadOfItsKind) {
  const auto hypervisor = require(openSoft());
  const auto payload = [&hypervisor](std::uint8_t vector) {
    const auto vm = require(hypervisor->createVm(PitModel::absent));
    const auto vcpu = require(vm->createVcpu(0));
    require(vcpu->setCpuid(require(hypervisor->supportedCpuid())));
    CpuState state = require(vcpu->save());
    state.system.cr2 = 0x1234'400f;
    state.debug.dr6 = 0xffff'0ff2;
    state.events.exceptionInjected = true;
    state.events.exceptionVector = vector;
    require(vcpu->load(state));
    return require(vcpu->save()).events.exceptionPayload;
  };
  EXPECT_EQ(payload(1), 2U);
  EXPECT_EQ(payload(14), 0x1234'400fU);
  EXPECT_EQ(payload(6), 0U);
}

// The place of the instruction behind an STI may be come to again while IF is 0; nobody's interrupts are held back
// then, and no processor is in that state (SDM 3C, 26.3.1.5).
TEST(InterruptShadow, IsSavedWhileInterruptsAreOpenOnly) {
  const auto hypervisor = require(openSoft());
  const auto saved = [&hypervisor](std::uint64_t rflags) {
    const auto vm = require(hypervisor->createVm(PitModel::absent));
    const auto vcpu = require(vm->createVcpu(0));
    require(vcpu->setCpuid(require(hypervisor->supportedCpuid())));
    CpuState state = require(vcpu->save());
    state.registers.rflags = rflags;
    state.events.shadowSti = true;
    require(vcpu->load(state));
    return require(vcpu->save()).events.shadowSti;
  };
  EXPECT_TRUE(saved(rflags::kFixed | rflags::kIf));
  EXPECT_FALSE(saved(rflags::kFixed));
}

}  // namespace
}  // namespace qm::soft
