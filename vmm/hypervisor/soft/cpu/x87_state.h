// The x87 FPU's registers, of which MMX's are a part (SDM 1, chapter 8).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace qm::soft {

// An 80-bit extended real as memory has it.
struct ExtendedReal {
  std::array<std::byte, 10> bytes{};
  bool operator==(const ExtendedReal&) const = default;
};

struct X87State {
  std::array<ExtendedReal, 8> physical{};  // R0-R7; ST(i) is R((TOP + i) % 8), TOP in the status word
  std::uint16_t control = 0x37f;
  std::uint16_t status = 0;
  std::uint8_t occupied = 0;  // bit i: R(i) is not empty (FXSAVE's abridged tags)
  std::uint16_t opcode = 0;   // of the last instruction but control ones, 11 bits
  std::uint64_t instruction = 0, operand = 0;
  bool operator==(const X87State&) const = default;
};

}  // namespace qm::soft
