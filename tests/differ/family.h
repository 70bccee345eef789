// Which instructions are tested, and together with which: every instruction of template qm-v1 that user mode can run
// with the same outcome on any two CPUs belongs to one of the families before `invalid`; the last two are made of bytes
// and of the others' instructions.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <Zydis/Zydis.h>

namespace qm::differ {

enum class Family : std::uint8_t {
  alu,
  shift,
  muldiv,
  bit,
  string,
  stack,
  branch,
  move,
  bmi,
  atomics,
  sse_move,
  sse_int,
  sse_arith,
  sse_convert,
  sse_compare,
  sse4,
  aes,
  x87_move,
  x87_arith,
  x87_transcendental,
  x87_compare,
  x87_control,
  mmx,
  fxsave,
  hint,
  trap,
  privileged,  // user mode may not: each of them is #GP or #UD
  invalid,     // no instructions: #UD, or too long (#GP)
  sequence,    // several instructions of the other families, in a loop
};
inline constexpr std::size_t kFamilies = static_cast<std::size_t>(Family::sequence) + 1;

std::string_view nameOf(Family family);
std::optional<Family> familyNamed(std::string_view name);

// Why an instruction is not tested.
enum class Refusal : std::uint8_t {
  notOffered,       // template qm-v1 has no such feature
  differsByNature,  // time, entropy, identity
  entersKernel,     // natively it would be a system call
  changesSegments,  // loads segment registers, or reads descriptor tables: they differ from process to guest
  emulatedByHost,   // UMIP: Linux answers for the CPU
  ownTest,          // state of its own (XSAVE): contract tests
};
std::string_view nameOf(Refusal refusal);

// An instruction as decoded in 64-bit mode, with all its operands.
std::variant<Family, Refusal> classify(const ZydisDecodedInstruction& instruction, const ZydisDecodedOperand* operands);

}  // namespace qm::differ
