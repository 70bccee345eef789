// Memory slots: replaced, removed, and their dirty log; eventfds on addresses and lines.
#include <algorithm>
#include <array>
#include <bit>

#include "tests/contract/guest.h"
#include "tests/contract/interrupt_code.h"
#include "vmm/os/eventfd.h"

namespace qm::contract {
namespace {

class Memory : public ContractTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Memory, testing::ValuesIn(backends()), backendName);

constexpr GuestAddress kWindow{0x1000'0000};  // beyond the guest's own RAM
constexpr std::uint32_t kWindowSlot = 1;

bool isDirty(const std::vector<std::uint64_t>& log, GuestAddress address) {
  const std::uint64_t page = address.value / kPageBytes;
  return (log[page / 64] >> (page % 64) & 1U) != 0;
}

std::uint64_t dirtyPages(const std::vector<std::uint64_t>& log) {
  std::uint64_t pages = 0;
  for (const std::uint64_t word : log) pages += static_cast<std::uint64_t>(std::popcount(word));
  return pages;
}

// Reports the window's first four bytes again and again.
GuestCode windowReader() {
  GuestCode code(kCode);
  const GuestCode::Label again = code.here();
  code.move(Reg::rbx, kWindow.value);
  code.load(Reg::rax, Reg::rbx, Width::dword);
  code.report(kReportPort, Reg::rax);
  code.jump(again);
  return code;
}

Mapping filledPage(std::uint8_t value, std::size_t pages = 1) {
  Mapping mapping = require(Mapping::anonymous(pages * kPageBytes));
  std::ranges::fill(mapping.bytes(), std::byte{value});
  return mapping;
}

TEST_P(Memory, ASlotThatIsTakenIsReplaced) {
  const Mapping first = filledPage(0x11), second = filledPage(0x22, 2);
  Guest guest(hypervisor());
  guest.startLongMode(windowReader());
  require(guest.vm().setMemory({.index = kWindowSlot, .start = kWindow, .host = first.bytes()}));
  EXPECT_EQ(guest.nextReport(), 0x1111'1111U);
  require(guest.vm().setMemory({.index = kWindowSlot, .start = kWindow, .host = second.bytes()}));
  EXPECT_EQ(guest.nextReport(), 0x2222'2222U);
}

TEST_P(Memory, ASlotThatIsRemovedIsNoMemory) {
  const Mapping page = filledPage(0x11);
  Guest guest(hypervisor());
  guest.startLongMode(windowReader());
  require(guest.vm().setMemory({.index = kWindowSlot, .start = kWindow, .host = page.bytes()}));
  EXPECT_EQ(guest.nextReport(), 0x1111'1111U);
  require(guest.vm().setMemory({.index = kWindowSlot, .start = kWindow, .host = {}}));
  EXPECT_EQ(guest.runTo<MmioRead>().address, kWindow);
  guest.vcpu().completeRead(5);
  EXPECT_EQ(guest.nextReport(), 5U);
}

TEST_P(Memory, DirtyLoggingIsSwitchedOnForASlotInUse) {
  GuestCode code(kCode);
  code.poke(kData.value, 1);
  code.report(kReportPort, 1U);
  code.poke(kData.value + kPageBytes, 1);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  EXPECT_EQ(guest.nextReport(), 1U);
  require(guest.vm().setMemory({.index = 0, .start = {0}, .host = guest.ram(), .dirtyLogging = DirtyLogging::on}));
  guest.runToEnd();
  const auto log = require(guest.vm().takeDirtyLog(0));
  EXPECT_FALSE(isDirty(log, kData));
  EXPECT_TRUE(isDirty(log, kData + kPageBytes));
}

TEST_P(Memory, TheDirtyLogHasWhatTheGuestWroteAndIsClearedByTaking) {
  GuestCode code(kCode);
  code.poke(kData.value + 3 * kPageBytes, 1);
  code.poke(kRamBytes - 8, 1);
  code.report(kReportPort, 1U);
  code.move(Reg::rbx, kData.value + 5 * kPageBytes);
  code.load(Reg::rax, Reg::rbx, Width::qword);
  code.report(kReportPort, 2U);
  code.poke(kData.value + 4 * kPageBytes, 1);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor(), {.dirtyLogging = DirtyLogging::on});
  guest.startLongMode(code);
  EXPECT_EQ(guest.nextReport(), 1U);
  auto log = require(guest.vm().takeDirtyLog(0));
  EXPECT_EQ(log.size(), kRamBytes / kPageBytes / 64);
  EXPECT_TRUE(isDirty(log, kData + 3 * kPageBytes));
  EXPECT_TRUE(isDirty(log, {kRamBytes - 1}));
  EXPECT_FALSE(isDirty(log, kData + 5 * kPageBytes));
  EXPECT_EQ(guest.nextReport(), 2U);
  log = require(guest.vm().takeDirtyLog(0));
  EXPECT_FALSE(isDirty(log, kData + 3 * kPageBytes));
  EXPECT_FALSE(isDirty(log, kData + 5 * kPageBytes)) << "only read";
  guest.runToEnd();
  log = require(guest.vm().takeDirtyLog(0));
  EXPECT_TRUE(isDirty(log, kData + 4 * kPageBytes));
  EXPECT_EQ(dirtyPages(require(guest.vm().takeDirtyLog(0))), 0U);
}

// SDM 3A, 4.8: a walk sets the accessed flag of each entry that it uses, and the dirty flag of the last upon a write.
TEST_P(Memory, TheDirtyLogHasThePageTablesThatAWalkMarked) {
  constexpr std::uint64_t kAccessed = 1U << 5U, kDirty = 1U << 6U, kPresentWritable = 3;
  constexpr GuestAddress kTable = kData + 8 * kPageBytes, kTarget = kData + 9 * kPageBytes;
  constexpr GuestAddress kVirtual{0x4000'0000};  // 1 GiB: the first entry of the second directory
  constexpr GuestAddress kEntry = kPageTables + 0x3000;
  GuestCode code(kCode);
  code.report(kReportPort, 1U);
  code.move(Reg::rbx, kVirtual.value);
  code.load(Reg::rax, Reg::rbx, Width::qword);
  code.report(kReportPort, 2U);
  code.poke(kVirtual.value, 77);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor(), {.dirtyLogging = DirtyLogging::on});
  guest.startLongMode(code);
  guest.writeObject(kEntry, kTable.value | kPresentWritable);
  guest.writeObject(kTable, kTarget.value | kPresentWritable);
  EXPECT_EQ(guest.nextReport(), 1U);
  require(guest.vm().takeDirtyLog(0));
  EXPECT_EQ(guest.nextReport(), 2U);
  auto log = require(guest.vm().takeDirtyLog(0));
  EXPECT_EQ(guest.readObject<std::uint64_t>(kTable) & (kAccessed | kDirty), kAccessed);
  EXPECT_TRUE(isDirty(log, kTable));
  EXPECT_TRUE(isDirty(log, kEntry));
  guest.runToEnd();
  log = require(guest.vm().takeDirtyLog(0));
  EXPECT_EQ(guest.readObject<std::uint64_t>(kTable) & (kAccessed | kDirty), kAccessed | kDirty);
  EXPECT_TRUE(isDirty(log, kTable));
  EXPECT_TRUE(isDirty(log, kTarget));
  EXPECT_EQ(guest.readObject<std::uint32_t>(kTarget), 77U);
}

TEST_P(Memory, ADoorbellTakesEveryWriteOfItsWidth) {
  GuestCode code(kCode);
  code.poke(kMmio.value, 7);
  code.report(kReportPort, 1U);
  code.poke(kMmio.value, 8);
  code.poke(kMmio.value + 4, 9);
  code.poke(kMmio.value, 7);
  Guest guest(hypervisor());
  if (!guest.vm().hasEventfds()) GTEST_SKIP() << "this backend has no eventfds";
  guest.startLongMode(code);
  const Eventfd doorbell = require(Eventfd::create());
  require(guest.vm().attachDoorbell(kMmio, doorbell));
  EXPECT_EQ(guest.nextReport(), 1U);
  EXPECT_EQ(doorbell.take(), 1U);
  EXPECT_EQ(guest.runTo<MmioWrite>().value, 9U);
  EXPECT_EQ(doorbell.take(), 1U);
  require(guest.vm().detachDoorbell(kMmio, doorbell));
  EXPECT_EQ(guest.runTo<MmioWrite>().value, 7U);
}

TEST_P(Memory, AnInterruptSourceIsAnEdgeOnItsLine) {
  constexpr std::uint32_t kPin = 21, kArrived = 0xa1;
  constexpr std::uint8_t kVector = 0x51;
  GuestCode code(kCode);
  enableLocalApic(code);
  routePin(code, kPin, kVector, Trigger::edge);
  code.report(kReportPort, 1U);
  waitForInterrupts(code, 1);
  code.report(kDonePort, 0U);
  const GuestCode::Label handler = emitCountingHandler(code, kArrived);
  Guest guest(hypervisor());
  if (!guest.vm().hasEventfds()) GTEST_SKIP() << "this backend has no eventfds";
  guest.startLongMode(code);
  guest.setHandler(kVector, code.address(handler));
  const Eventfd source = require(Eventfd::create());
  require(guest.vm().attachInterrupt(kPin, source));
  EXPECT_EQ(guest.nextReport(), 1U);
  source.signal();
  EXPECT_EQ(guest.runToEnd(), (std::vector<std::uint32_t>{kArrived}));
}

}  // namespace
}  // namespace qm::contract
