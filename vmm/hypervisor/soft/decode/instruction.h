// An instruction of the guest, as Zydis tells it.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include <Zydis/Decoder.h>

#include "vmm/hypervisor/soft/cpu/system_state.h"

namespace qm::soft {

using Operand = ZydisDecodedOperand;

struct Instruction {
  ZydisDecodedInstruction raw{};
  std::array<Operand, ZYDIS_MAX_OPERAND_COUNT> operands{};
  CodeSize codeSize = CodeSize::bits64;

  ZydisMnemonic mnemonic() const { return raw.mnemonic; }
  // Explicit operands come first, in Intel's order: destination, sources.
  const Operand& operand(std::size_t i) const { return operands[i]; }
  std::size_t explicitOperands() const { return raw.operand_count_visible; }
  unsigned operandBits() const { return raw.operand_width; }
  unsigned addressBits() const { return raw.address_width; }
  bool has(ZydisInstructionAttributes attribute) const { return (raw.attributes & attribute) != 0; }
  bool isLocked() const { return has(ZYDIS_ATTRIB_HAS_LOCK); }
};

inline bool isRegister(const Operand& operand) {
  return operand.type == ZYDIS_OPERAND_TYPE_REGISTER;
}
inline bool isMemory(const Operand& operand) {
  return operand.type == ZYDIS_OPERAND_TYPE_MEMORY;
}
inline bool isImmediate(const Operand& operand) {
  return operand.type == ZYDIS_OPERAND_TYPE_IMMEDIATE;
}

// Whether an explicit operand is a register of this kind.
bool namesRegister(const Instruction& instruction, ZydisRegisterClass kind);
// The instructions of SSE that work with XMM registers or MXCSR, whether they name one or not: not MOVNTI, CRC32,
// fences.
bool usesVectorUnit(const Instruction& instruction);

// Those with a VEX prefix that work with vectors: not BMI's.
bool isVexOfVectors(const Instruction& instruction);

// Nothing: bytes that are no instruction (#UD), or too few of them.
enum class DecodeFailure : std::uint8_t { none, tooFewBytes, tooLong, invalid };
DecodeFailure decode(std::span<const std::byte> bytes, CodeSize codeSize, Instruction& instruction);

// A general register as a byte offset into Cpu::gpr (Operation::to and from); al, ax, eax and rax are 0, ah is 1.
std::uint8_t registerPlace(ZydisRegister which);
// Its number as an address's base or index; kNoRegister for none, kBlockRip for rip and eip.
std::uint8_t addressRegister(ZydisRegister which);
SegmentName segmentName(ZydisRegister which);
// xmm0 → 0, mm3 → 3, st2 → 2, cr3 → 3, dr7 → 7.
std::uint8_t registerNumber(ZydisRegister which);

}  // namespace qm::soft
