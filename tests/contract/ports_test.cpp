// Port accesses: every width, immediate and DX forms, strings element by element (SDM 1, 19; SDM 2, IN, OUT, INS,
// OUTS).
#include <string_view>

#include "tests/contract/guest.h"

namespace qm::contract {
namespace {

class Ports : public ContractTest {};
INSTANTIATE_TEST_SUITE_P(Backends, Ports, testing::ValuesIn(backends()), backendName);

void expectWrite(const IoWrite& exit, std::uint16_t port, std::uint8_t bytes, std::uint32_t value) {
  EXPECT_EQ(exit.port, port);
  EXPECT_EQ(exit.bytes, bytes);
  EXPECT_EQ(exit.value, value);
}

TEST_P(Ports, WritesCarryTheirWidthAndNothingAbove) {
  GuestCode code(kCode);
  code.move(Reg::rax, 0x1122'3344'5566'7788);
  code.out(0x80, Width::byte);
  code.out(0x81, Width::word);
  code.out(0x82, Width::dword);
  code.move(Reg::rdx, 0xfedc);
  code.outDx(Width::byte);
  code.outDx(Width::word);
  code.outDx(Width::dword);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  expectWrite(guest.runTo<IoWrite>(), 0x80, 1, 0x88);
  expectWrite(guest.runTo<IoWrite>(), 0x81, 2, 0x7788);
  expectWrite(guest.runTo<IoWrite>(), 0x82, 4, 0x5566'7788);
  expectWrite(guest.runTo<IoWrite>(), 0xfedc, 1, 0x88);
  expectWrite(guest.runTo<IoWrite>(), 0xfedc, 2, 0x7788);
  expectWrite(guest.runTo<IoWrite>(), 0xfedc, 4, 0x5566'7788);
}

TEST_P(Ports, RealModeWritesCarryTheirWidth) {
  GuestCode code(kCode, CodeSize::bits16);
  code.move(Reg::rax, 0x7788);
  code.out(0x80, Width::byte);
  code.out(0x81, Width::word);
  code.out(0x82, Width::dword);
  Guest guest(hypervisor());
  guest.startRealMode(code);
  expectWrite(guest.runTo<IoWrite>(), 0x80, 1, 0x88);
  expectWrite(guest.runTo<IoWrite>(), 0x81, 2, 0x7788);
  expectWrite(guest.runTo<IoWrite>(), 0x82, 4, 0x7788);
}

// What `read` leaves in rax, which held all ones, when the port answers 0xa1b2c3d4.
std::uint64_t raxAfter(Hypervisor& hypervisor, void (*read)(GuestCode&), std::uint8_t bytes) {
  GuestCode code(kCode);
  code.move(Reg::rax, 0xffff'ffff'ffff'ffff);
  code.move(Reg::rdx, 0x83);
  read(code);
  code.move(Reg::rbx, Reg::rax);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor);
  guest.startLongMode(code);
  const auto exit = guest.runTo<IoRead>();
  EXPECT_EQ(exit.port, 0x83);
  EXPECT_EQ(exit.bytes, bytes);
  guest.vcpu().completeRead(0xa1b2'c3d4);
  guest.runTo<IoWrite>();
  return require(guest.vcpu().registers()).rbx;
}

TEST_P(Ports, ReadsFillTheirWidthAndDwordsClearTheUpperHalf) {
  EXPECT_EQ(raxAfter(hypervisor(), [](GuestCode& c) { c.in(0x83, Width::byte); }, 1), 0xffff'ffff'ffff'ffd4);
  EXPECT_EQ(raxAfter(hypervisor(), [](GuestCode& c) { c.in(0x83, Width::word); }, 2), 0xffff'ffff'ffff'c3d4);
  EXPECT_EQ(raxAfter(hypervisor(), [](GuestCode& c) { c.in(0x83, Width::dword); }, 4), 0xa1b2'c3d4);
  EXPECT_EQ(raxAfter(hypervisor(), [](GuestCode& c) { c.inDx(Width::byte); }, 1), 0xffff'ffff'ffff'ffd4);
  EXPECT_EQ(raxAfter(hypervisor(), [](GuestCode& c) { c.inDx(Width::word); }, 2), 0xffff'ffff'ffff'c3d4);
  EXPECT_EQ(raxAfter(hypervisor(), [](GuestCode& c) { c.inDx(Width::dword); }, 4), 0xa1b2'c3d4);
}

TEST_P(Ports, StringWritesComeElementByElement) {
  constexpr std::array<std::uint8_t, 8> kText{'q', 'u', 'i', 'c', 'k', 'm', 'a', 't'};
  for (const Width width : {Width::byte, Width::word, Width::dword}) {
    const auto bytes = static_cast<std::uint8_t>(width);
    GuestCode code(kCode);
    code.move(Reg::rdx, 0x84);
    code.move(Reg::rsi, kData.value);
    code.move(Reg::rcx, kText.size() / bytes);
    code.outs(width, Repeat::rcxTimes);
    code.report(kDonePort, 0U);
    Guest guest(hypervisor());
    guest.startLongMode(code);
    guest.writeObject(kData, kText);
    for (std::size_t at = 0; at < kText.size(); at += bytes) {
      std::uint32_t value = 0;
      std::memcpy(&value, kText.data() + at, bytes);
      expectWrite(guest.runTo<IoWrite>(), 0x84, bytes, value);
    }
    EXPECT_EQ(guest.runTo<IoWrite>().port, kDonePort);
    const Registers after = require(guest.vcpu().registers());
    EXPECT_EQ(after.rcx, 0U);
    EXPECT_EQ(after.rsi, kData.value + kText.size());
  }
}

TEST_P(Ports, StringReadsFillMemoryElementByElement) {
  for (const Width width : {Width::byte, Width::word, Width::dword}) {
    const auto bytes = static_cast<std::uint8_t>(width);
    constexpr std::uint32_t kCount = 5;
    GuestCode code(kCode);
    code.move(Reg::rdx, 0x85);
    code.move(Reg::rdi, kData.value);
    code.move(Reg::rcx, kCount);
    code.ins(width, Repeat::rcxTimes);
    code.report(kDonePort, 0U);
    Guest guest(hypervisor());
    guest.startLongMode(code);
    for (std::uint32_t i = 0; i < kCount; ++i) {
      const auto exit = guest.runTo<IoRead>();
      EXPECT_EQ(exit.port, 0x85);
      EXPECT_EQ(exit.bytes, bytes);
      guest.vcpu().completeRead(0x0101'0101U * (i + 1));
    }
    EXPECT_EQ(guest.runTo<IoWrite>().port, kDonePort);
    for (std::uint32_t i = 0; i < kCount * bytes; ++i)
      EXPECT_EQ(guest.ram()[kData.value + i], std::byte(i / bytes + 1));
    EXPECT_EQ(guest.ram()[kData.value + kCount * bytes], std::byte{0});
  }
}

TEST_P(Ports, SingleStringElements) {
  GuestCode code(kCode);
  code.move(Reg::rdx, 0x86);
  code.move(Reg::rsi, kData.value);
  code.move(Reg::rdi, kData.value + 8);
  code.outs(Width::word, Repeat::once);
  code.ins(Width::byte, Repeat::once);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  guest.writeObject(kData, std::uint16_t{0xbeef});
  expectWrite(guest.runTo<IoWrite>(), 0x86, 2, 0xbeef);
  guest.runTo<IoRead>();
  guest.vcpu().completeRead(0x77);
  EXPECT_TRUE(guest.runToEnd().empty());
  EXPECT_EQ(guest.readObject<std::uint16_t>(kData + 8), 0x77);
}

TEST_P(Ports, AStringWithoutElementsDoesNothing) {
  GuestCode code(kCode);
  code.move(Reg::rdx, 0x86);
  code.move(Reg::rcx, 0);
  code.outs(Width::byte, Repeat::rcxTimes);
  code.report(kDonePort, 0U);
  Guest guest(hypervisor());
  guest.startLongMode(code);
  EXPECT_TRUE(guest.runToEnd().empty());
}

}  // namespace
}  // namespace qm::contract
