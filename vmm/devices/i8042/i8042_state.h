// What the modelled part of an i8042 keyboard controller remembers.
#pragma once

#include <cstdint>
#include <vector>

namespace qm {

struct I8042State {
  std::uint8_t commandByte = 0;  // controller configuration
  std::uint8_t outputPort = 0;
  std::uint8_t pendingCommand = 0;   // a command that waits for its data byte; 0: none
  std::vector<std::uint8_t> output;  // bytes the guest has not read, at most 16
  bool operator==(const I8042State&) const = default;
};

}  // namespace qm
