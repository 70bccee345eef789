#include "tests/attack/bare/port_deeds.h"

#include <array>
#include <cstdint>

#include "tests/attack/bare/console.h"
#include "tests/attack/bare/ports.h"

namespace hostile {

namespace {

constexpr std::array<unsigned, 3> kWidths{1, 2, 4};
constexpr std::array<std::uint32_t, 4> kValues{0, 0xffff'ffff, 0x5555'5555, 0x8000'0001};
constexpr std::uint16_t kSerial = 0x3f8, kKeyboardData = 0x60, kKeyboardCommand = 0x64;
constexpr std::uint32_t kPulseReset = 0xfe, kWriteOutputPort = 0xd1;

void touch(std::uint16_t port) {
  for (const unsigned width : kWidths) {
    (void)readPort(port, width);
    for (const std::uint32_t value : kValues) writePort(port, width, value);
  }
}

// All that a PC may have, and the end of all ports. No value here resets.
void touchEveryPort() {
  for (std::uint16_t port = 0; port < 0x500; ++port) touch(port);
  for (std::uint32_t port = 0x500; port < 0x1'0000; port += 97) touch(static_cast<std::uint16_t>(port));
  for (std::uint32_t port = 0xcf0; port < 0xd00; ++port) touch(static_cast<std::uint16_t>(port));
  for (std::uint32_t port = 0xfff0; port < 0x1'0000; ++port) touch(static_cast<std::uint16_t>(port));
}

// Wider than the port, across a device's begin or end, over the last port of all.
void straddleDevices() {
  for (int round = 0; round < 200; ++round) {
    constexpr std::array<std::uint16_t, 11> kEdges{0x20, 0x40, 0x60, 0x65, 0x70, 0x72, 0xa0, 0x3f8, 0x400, 0x4d0, 0};
    for (const std::uint16_t edge : kEdges) {
      for (int before = 1; before < 4; ++before) {
        const auto port = static_cast<std::uint16_t>(edge - before);
        for (const unsigned width : {2U, 4U}) {
          (void)readPort(port, width);
          writePort(port, width, 0xfefe'fefe);
        }
      }
    }
  }
}

// Every register with every value, with the divisor latch and without, in loopback and out of it, interrupts on.
void spoilTheSerialPort() {
  for (const std::uint32_t line : {0x03U, 0x83U, 0xffU, 0x00U}) {
    for (const std::uint32_t modem : {0x00U, 0x10U, 0x1fU, 0xffU}) {
      for (std::uint32_t value = 0; value < 256; ++value) {
        writePort(kSerial + 3, 1, line);
        writePort(kSerial + 4, 1, modem);
        constexpr std::array<std::uint16_t, 6> kRegisters{kSerial + 1, kSerial + 2, kSerial + 5,
                                                          kSerial + 6, kSerial + 7, kSerial};
        for (const std::uint16_t port : kRegisters) {
          writePort(port, 1, value);
          (void)readPort(port, 1);
        }
      }
      // More than its FIFO holds; read back beyond its end.
      for (int i = 0; i < 200; ++i) writePort(kSerial, 1, 'x');
      for (int i = 0; i < 200; ++i) (void)readPort(kSerial, 1);
    }
  }
}

// Every command with every answer, answers that nobody fetches, its interrupt on. But not those that reset.
void spoilTheKeyboard() {
  for (std::uint32_t command = 0; command < 256; ++command) {
    if (command == kPulseReset) continue;
    for (const std::uint32_t data : {0x00U, 0x01U, 0xffU, 0xfeU}) {
      writePort(kKeyboardCommand, 1, command);
      // An even byte for the output port pulls the reset line.
      writePort(kKeyboardData, 1, command == kWriteOutputPort ? data | 1U : data);
      if (data == 0xff) writePort(kKeyboardData, 1, 0xff);
    }
    for (std::uint16_t port = kKeyboardData; port <= kKeyboardCommand; ++port) (void)readPort(port, 1);
  }
  writePort(kKeyboardCommand, 1, 0x60);
  writePort(kKeyboardData, 1, 0xff);
  for (int i = 0; i < 20'000; ++i) writePort(kKeyboardData, 1, 0xed);
  for (int i = 0; i < 1000; ++i) (void)readPort(kKeyboardData, 1);
}

void askTheClock() {
  for (std::uint32_t index = 0; index < 256; ++index) {
    for (const unsigned width : kWidths) {
      writePort(0x70, width, index);
      (void)readPort(0x71, width);
      writePort(0x71, width, 0xffff'ffff);
      (void)readPort(0x70, width);
    }
  }
}

// The interrupt controllers and the timer of a PC: initialised half, again and again, with all that they know.
void spoilTheChips() {
  constexpr std::array<std::uint16_t, 11> kChips{0x20, 0x21, 0xa0, 0xa1, 0x4d0, 0x4d1, 0x40, 0x41, 0x42, 0x43, 0x61};
  for (std::uint32_t value = 0; value < 256; ++value) {
    for (const std::uint16_t port : kChips) {
      for (const unsigned width : kWidths) {
        writePort(port, width, value | value << 8U);
        (void)readPort(port, width);
      }
    }
  }
  for (std::uint32_t word = 0; word < 256; ++word) {
    writePort(0x20, 1, 0x10 | word);
    for (std::uint32_t i = 0; i < 5; ++i) writePort(0x21, 1, word ^ i);
    writePort(0x20, 1, word);
    (void)readPort(0x20, 1);
  }
}

alignas(4096) constinit std::array<std::uint8_t, 65536> text{};

// Strings, up and down, of nothing and of much, over the edges of pages, of RAM (64 MiB), from and to devices' windows
// and where nothing is.
void moveStrings() {
  const auto own = reinterpret_cast<std::uintptr_t>(text.data());
  constexpr std::uint64_t kRamEnd = 64ULL << 20U;
  constexpr std::array<std::uint16_t, 6> kPorts{0x80, 0x71, 0x21, 0x3fd, 0x3ff, 0xffff};
  // Far enough into it that what goes down stays there.
  const std::array<std::uint64_t, 7> places{own + 4096,  own + 8191,  kRamEnd - 5, 0xc000'0000,
                                            0xc000'1000, 0xd000'0000, 0xc000'2ffe};
  for (const std::uint64_t place : places) {
    for (const unsigned width : kWidths) {
      for (const std::uint64_t count : {0ULL, 1ULL, 3ULL, 40ULL}) {
        for (const Direction direction : {Direction::up, Direction::down}) {
          for (const std::uint16_t port : kPorts) {
            writeString(port, width, place, count, direction);
            readString(port, width, place, count, direction);
          }
        }
      }
    }
  }
  for (const unsigned width : kWidths) {
    readString(kSerial + 5, width, own, text.size() / width, Direction::up);
    writeString(kSerial + 7, width, own, text.size() / width, Direction::up);
  }
}

// One instruction that goes on for longer than anybody waits. It never comes back.
void moveAStringWithoutEnd() {
  for (;;) writeString(0x80, 4, 0xd000'0000, 1ULL << 40U, Direction::down);
}

void floodPorts() {
  for (int i = 0; i < 150'000; ++i) {
    writePort(0x80, 4, 0);
    (void)readPort(kSerial + 5, 1);
  }
  text.fill('.');
  for (int i = 0; i < 4; ++i)
    writeString(kSerial, 1, reinterpret_cast<std::uintptr_t>(text.data()), 50'000, Direction::up);
}

// Around the devices that are there, any width, any value but those that reset.
void writeByChance() {
  std::uint64_t state = 6;
  for (int i = 0; i < 60'000; ++i) {
    // xorshift64
    state ^= state << 13U;
    state ^= state >> 7U;
    state ^= state << 17U;
    constexpr std::array<std::uint16_t, 6> kBases{0x1e, 0x3e, 0x5e, 0x6e, 0x9e, 0x3f4};
    const auto port = static_cast<std::uint16_t>(kBases[state % kBases.size()] + (state >> 8U) % 16);
    const unsigned width = kWidths[(state >> 16U) % kWidths.size()];
    auto value = static_cast<std::uint32_t>(state >> 24U);
    if (port == kKeyboardCommand || port == kKeyboardData) value |= 1;
    if ((state >> 60U) % 2 == 0) {
      writePort(port, width, value);
    } else {
      (void)readPort(port, width);
    }
  }
}

// Every way in which a PC is reset, and all at once: the first that is one ends the machine.
void resetInEveryWay() {
  for (int i = 0; i < 100; ++i) {
    for (const std::uint32_t value : {0x02U, 0x06U, 0x0eU, 0xffU}) writePort(0xcf9, 1, value);
    for (const std::uint32_t value : {0x01U, 0x03U, 0xffU}) writePort(0x92, 1, value);
    writePort(kKeyboardCommand, 4, kPulseReset);
    writePort(kKeyboardCommand, 1, kWriteOutputPort);
    writePort(kKeyboardData, 1, 0);
  }
}

constexpr std::array kDeeds{
    PortDeed{"ports-every", touchEveryPort},      PortDeed{"ports-straddled", straddleDevices},
    PortDeed{"ports-serial", spoilTheSerialPort}, PortDeed{"ports-keyboard", spoilTheKeyboard},
    PortDeed{"ports-clock", askTheClock},         PortDeed{"ports-chips", spoilTheChips},
    PortDeed{"ports-strings", moveStrings},       PortDeed{"ports-string-without-end", moveAStringWithoutEnd},
    PortDeed{"ports-flood", floodPorts},          PortDeed{"ports-by-chance", writeByChance},
    PortDeed{"ports-resets", resetInEveryWay},
};

}  // namespace

std::span<const PortDeed> portDeeds() {
  return kDeeds;
}

}  // namespace hostile
