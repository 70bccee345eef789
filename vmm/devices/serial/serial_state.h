// The registers of a 16550A, as a snapshot keeps them (National Semiconductor PC16550D data sheet, section 8).
#pragma once

#include <cstdint>
#include <vector>

namespace qm {

struct SerialState {
  std::uint8_t interruptEnable = 0;
  std::uint8_t fifoControl = 0;
  std::uint8_t lineControl = 0;
  std::uint8_t modemControl = 0;
  std::uint8_t scratch = 0;
  std::uint16_t divisor = 12;          // 9600 baud at 1.8432 MHz
  bool transmitEmptyPending = false;   // the THRE interrupt has not been acknowledged
  std::vector<std::uint8_t> received;  // what the guest has not read, at most 64 bytes
  bool operator==(const SerialState&) const = default;
};

// Whether a port in this state holds its interrupt line: something that the driver enabled is pending.
bool holdsInterrupt(const SerialState& state);

}  // namespace qm
