// Accesses where no memory is: every width, in both directions.
#include "tests/contract/guest.h"

namespace qm::contract {
namespace {

class Mmio : public ContractTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Mmio, testing::ValuesIn(backends()), backendName);

void expectWrite(const MmioWrite& exit, GuestAddress address, std::uint8_t bytes, std::uint64_t value) {
  EXPECT_EQ(exit.address, address);
  EXPECT_EQ(exit.bytes, bytes);
  EXPECT_EQ(exit.value, value);
}

TEST_P(Mmio, WritesCarryTheirWidthAndNothingAbove) {
  GuestCode code(kCode);
  code.move(Reg::rbx, kMmio.value + 0x10);
  code.move(Reg::r9, 0x1122'3344'5566'7788);
  for (const Width width : {Width::byte, Width::word, Width::dword, Width::qword}) code.store(Reg::rbx, Reg::r9, width);
  code.storeImmediate(Reg::rbx, 0xcafe'f00d);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  expectWrite(guest.runTo<MmioWrite>(), kMmio + 0x10, 1, 0x88);
  expectWrite(guest.runTo<MmioWrite>(), kMmio + 0x10, 2, 0x7788);
  expectWrite(guest.runTo<MmioWrite>(), kMmio + 0x10, 4, 0x5566'7788);
  expectWrite(guest.runTo<MmioWrite>(), kMmio + 0x10, 8, 0x1122'3344'5566'7788);
  expectWrite(guest.runTo<MmioWrite>(), kMmio + 0x10, 4, 0xcafe'f00d);
  EXPECT_TRUE(guest.runToEnd().empty());
}

TEST_P(Mmio, ReadsFillTheirWidth) {
  GuestCode code(kCode);
  code.move(Reg::rbx, kMmio.value);
  code.load(Reg::r8, Reg::rbx, Width::byte);
  code.load(Reg::r9, Reg::rbx, Width::word);
  code.load(Reg::r10, Reg::rbx, Width::dword);
  code.load(Reg::r11, Reg::rbx, Width::qword);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  for (const int bytes : {1, 2, 4, 8}) {
    const auto exit = guest.runTo<MmioRead>();
    EXPECT_EQ(exit.address, kMmio);
    EXPECT_EQ(exit.bytes, bytes);
    guest.vcpu().completeRead(0xa1a2'a3a4'a5a6'a7a8);
  }
  EXPECT_TRUE(guest.runToEnd().empty());
  const Registers after = require(guest.vcpu().registers());
  EXPECT_EQ(after.r8, 0xa8U);
  EXPECT_EQ(after.r9, 0xa7a8U);
  EXPECT_EQ(after.r10, 0xa5a6'a7a8U);
  EXPECT_EQ(after.r11, 0xa1a2'a3a4'a5a6'a7a8U);
}

TEST_P(Mmio, SixteenByteAccessesComeInTwoHalves) {
  GuestCode code(kCode);
  code.move(Reg::rbx, kMmio.value);
  code.move(Reg::rsi, kData.value);
  code.loadXmm(3, Reg::rsi);
  code.storeXmm(Reg::rbx, 3);
  code.loadXmm(4, Reg::rbx);
  code.move(Reg::rsi, kData.value + 16);
  code.storeXmm(Reg::rsi, 4);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.writeObject(kData, std::array<std::uint64_t, 2>{0x1111, 0x2222});
  expectWrite(guest.runTo<MmioWrite>(), kMmio, 8, 0x1111);
  expectWrite(guest.runTo<MmioWrite>(), kMmio + 8, 8, 0x2222);
  EXPECT_EQ(guest.runTo<MmioRead>().address, kMmio);
  guest.vcpu().completeRead(0x3333);
  EXPECT_EQ(guest.runTo<MmioRead>().address, kMmio + 8);
  guest.vcpu().completeRead(0x4444);
  EXPECT_TRUE(guest.runToEnd().empty());
  EXPECT_EQ((guest.readObject<std::array<std::uint64_t, 2>>(kData + 16)),
            (std::array<std::uint64_t, 2>{0x3333, 0x4444}));
}

}  // namespace
}  // namespace qm::contract
