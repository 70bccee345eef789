// One instruction: its bytes, and what the decoder says of them.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include <Zydis/Zydis.h>

#include "tests/differ/inventory.h"
#include "tests/differ/random.h"

namespace qm::differ {

struct Instruction {
  std::array<std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> bytes{};
  ZydisDecodedInstruction info{};
  std::array<ZydisDecodedOperand, ZYDIS_MAX_OPERAND_COUNT> operandStore{};

  std::span<const std::uint8_t> code() const { return {bytes.data(), info.length}; }
  // All of them: those that are written out, those that the opcode implies, those that it hides.
  std::span<const ZydisDecodedOperand> operands() const { return {operandStore.data(), info.operand_count}; }
  bool has(ZydisInstructionAttributes attribute) const { return (info.attributes & attribute) != 0; }
};

class Codec {
 public:
  Codec();
  // The instruction at the start of `bytes`; nothing where there is none in 64-bit mode.
  std::optional<Instruction> decode(std::span<const std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> bytes) const;
  // How a memory operand is addressed.
  enum class Addressing : std::uint8_t { any, withoutRegisters };
  // With random registers, addressing form, immediates and decorating prefixes. Nothing where these do not fit the
  // form; the next try may.
  std::optional<Instruction> instantiate(const Form& form, Random& random,
                                         Addressing addressing = Addressing::any) const;
  // Intel syntax, with absolute addresses as at `address`.
  std::string text(const Instruction& instruction, std::uint64_t address) const;

 private:
  ZydisDecoder decoder_;
  ZydisFormatter formatter_;
};

// Replaces the little-endian field of `bits` at `offset`.
void patch(Instruction& instruction, std::size_t offset, unsigned bits, std::uint64_t value);

}  // namespace qm::differ
