// The host's x87 instructions, each by its encoding: one function for each, made by templates.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmm/hypervisor/soft/cpu/flags.h"

namespace qm::soft {

// An FXSAVE area, of which x87's part and MXCSR are used.
struct alignas(16) FpuImage {
  std::array<std::byte, 512> bytes{};
};

// Runs one instruction on `image`'s state. `memory` is the memory operand, if it has one; flags are read and written.
using HostX87 = void (*)(FpuImage& image, void* memory, Flags& flags);

// The escape opcodes 0xd8 to 0xdf with a register form: by (opcode - 0xd8) * 64 + the low six bits of the second byte.
inline constexpr std::size_t kRegisterForms = 512;
HostX87 hostX87Register(std::size_t form);
// With a memory operand: by (opcode - 0xd8) * 8 + the three bits beside it in the ModRM byte;
// + 64 with 16-bit operands, which environments (FLDENV FNSTENV FRSTOR FNSAVE) can have.
inline constexpr std::size_t kMemoryForms = 128;
HostX87 hostX87Memory(std::size_t form);

}  // namespace qm::soft
