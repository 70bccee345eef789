// Which instructions are tested, and together with which: every instruction of template qm-v3-sha that user mode can
// run with the same outcome on any two CPUs belongs to one of the families; `invalid` is made of bytes, and the
// sequences of the others' instructions.
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
  avx_move,
  avx_int,
  avx_shuffle,
  avx_arith,
  avx_convert,
  avx_compare,
  avx_masked,  // lanes of memory that are selected: masked moves, gathers
  avx_aes,
  fma,
  sha,
  avx_sequence,  // sequences with AVX in them
};
inline constexpr std::size_t kFamilies = static_cast<std::size_t>(Family::avx_sequence) + 1;

// Only where the host has AVX.
constexpr bool isOfAvx(Family family) {
  return family >= Family::avx_move && family != Family::sha;
}
constexpr bool isSequence(Family family) {
  return family == Family::sequence || family == Family::avx_sequence;
}

std::string_view nameOf(Family family);
std::optional<Family> familyNamed(std::string_view name);

// Why an instruction is not tested.
enum class Refusal : std::uint8_t {
  notOffered,       // template qm-v3-sha has no such feature
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
