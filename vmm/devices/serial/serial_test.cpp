#include "vmm/devices/serial/serial.h"

#include <string>

#include <gtest/gtest.h>

#include "vmm/devices/line/fake_line.h"

namespace qm {
namespace {

// A serial port on a fake line, with what it sent.
struct Port {
  explicit Port(const SerialState& state = {})
      : serial({line, [this](std::span<const std::uint8_t> bytes) { sent.append(bytes.begin(), bytes.end()); }},
               state) {}
  std::uint64_t in(std::uint64_t offset) { return serial.read(offset, 1); }
  void out(std::uint64_t offset, std::uint8_t value) { serial.write(offset, 1, value); }
  void type(std::string_view text) { serial.receive(std::vector<std::uint8_t>(text.begin(), text.end())); }

  FakeLevelLine line;
  std::string sent;
  Serial serial;
};

TEST(Serial, SentBytesReachTheSinkAndTheTransmitterIsEmptyAgain) {
  Port port;
  port.out(0, 'h');
  port.out(0, 'i');
  EXPECT_EQ(port.sent, "hi");
  EXPECT_EQ(port.in(5) & 0x60U, 0x60U);
}

TEST(Serial, ReceivedDataInterruptsUntilItIsRead) {
  Port port;
  port.out(1, 1);
  port.type("a");
  EXPECT_TRUE(port.line.isRaised());
  EXPECT_EQ(port.in(2), 4U);
  EXPECT_EQ(port.in(0), static_cast<std::uint64_t>('a'));
  EXPECT_FALSE(port.line.isRaised());
  EXPECT_EQ(port.in(2), 1U);
}

TEST(Serial, EnablingTheTransmitInterruptRaisesItAndReadingItsNameAcknowledges) {
  Port port;
  port.out(1, 2);
  EXPECT_TRUE(port.line.isRaised());
  EXPECT_EQ(port.in(2), 2U);
  EXPECT_FALSE(port.line.isRaised());
  EXPECT_EQ(port.in(2), 1U);
}

TEST(Serial, TheDivisorHidesBehindItsLatch) {
  Port port;
  port.out(3, 0x83);
  port.out(0, 0x01);
  port.out(1, 0x02);
  EXPECT_EQ(port.serial.save().divisor, 0x0201);
  port.out(3, 0x03);
  EXPECT_EQ(port.in(1), 0U);
  EXPECT_TRUE(port.sent.empty());
}

TEST(Serial, LoopbackKeepsBytesInside) {
  Port port;
  port.out(4, 0x10);
  port.out(0, 'x');
  EXPECT_TRUE(port.sent.empty());
  EXPECT_EQ(port.in(0), static_cast<std::uint64_t>('x'));
}

TEST(Serial, InputBeyondTheFifoIsLeftToTheHost) {
  Port port;
  const std::vector<std::uint8_t> flood(100, 'x');
  EXPECT_EQ(port.serial.receive(flood), 64U);
}

TEST(Serial, ARestoredPortGoesOnWhereItWas) {
  Port port;
  port.out(1, 1);
  port.out(7, 0x5a);
  port.type("ab");
  Port restored(port.serial.save());
  EXPECT_TRUE(restored.line.isRaised());
  EXPECT_EQ(restored.in(0), static_cast<std::uint64_t>('a'));
  EXPECT_EQ(restored.in(7), 0x5aU);
}

}  // namespace
}  // namespace qm
