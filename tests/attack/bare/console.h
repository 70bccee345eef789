// What the guest says: bytes to the serial port, whatever state a deed has left it in.
#pragma once

#include <cstdint>
#include <string_view>

#include "tests/attack/bare/ports.h"

namespace hostile {

inline void say(std::string_view text) {
  constexpr std::uint16_t kSerial = 0x3f8;
  writePort(kSerial + 3, 1, 3);  // no divisor latch
  writePort(kSerial + 4, 1, 0);  // no loopback
  writePort(kSerial + 1, 1, 0);
  for (const char byte : text) writePort(kSerial, 1, static_cast<std::uint8_t>(byte));
}

}  // namespace hostile
