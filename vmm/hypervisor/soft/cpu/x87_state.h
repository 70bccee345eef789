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

// Of the status word (SDM 1, figure 8-4): an exception is pending.
inline constexpr std::uint16_t kX87Summary = 1U << 7U;

// Control and status word from memory, as processors take them: bits that do not exist have their fixed values, ES and
// B follow from the exceptions that the status tells of and the control does not mask. What is run on the host relies
// on ES: a pending exception that it did not tell of would be the host's.
inline void loadWords(X87State& x87, std::uint16_t control, std::uint16_t status) {
  constexpr std::uint16_t kExceptions = 0x3f, kBusy = 1U << 15U, kControlBits = 0x1f3f, kControlOnes = 1U << 6U;
  x87.control = static_cast<std::uint16_t>((control & kControlBits) | kControlOnes);
  constexpr std::uint16_t kPending = kX87Summary | kBusy;
  const bool isPending = (status & ~x87.control & kExceptions) != 0;
  x87.status = static_cast<std::uint16_t>(isPending ? status | kPending : status & ~kPending);
}

}  // namespace qm::soft
