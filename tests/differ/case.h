// A case: one instruction and all that it starts from; and its outcome: all that it may have changed. Values.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tests/differ/family.h"
#include "tests/differ/instruction.h"
#include "tests/differ/layout.h"

namespace qm::differ {

// Names a case: the same on every machine, for one version of this program.
struct CaseSeed {
  Family family = Family::alu;
  std::uint64_t number = 0;
  bool operator==(const CaseSeed&) const = default;

  std::size_t slot() const { return number % kSlots; }
};
std::string textOf(const CaseSeed& seed);  // "shift:1f"
std::optional<CaseSeed> parseCaseSeed(std::string_view text);

// The case number `index` of a run: its slot is index % kSlots.
constexpr CaseSeed caseOfRun(Family family, std::uint64_t runSeed, std::uint64_t index) {
  const std::uint64_t drawn = mix(runSeed ^ mix(index * kFamilies + static_cast<std::uint64_t>(family)));
  return {.family = family, .number = drawn / kSlots * kSlots + index % kSlots};
}

struct Case {
  CaseSeed seed;
  Instruction instruction;
  std::vector<std::uint8_t> program;  // in place of the instruction, at the entry; returns to the epilogue itself
  std::uint64_t undefinedFlags = 0;   // that the program leaves
  LoadedState state;                  // entry: the instruction's address
  std::array<std::uint8_t, kDataBytes> data{};
  std::array<std::uint8_t, kStackBytes> stack{};

  std::uint64_t slotStart() const { return slotAddress(seed.slot()); }
};

struct Outcome {
  StoredState state;
  std::array<std::uint8_t, kDataBytes> data{};
  std::array<std::uint8_t, kStackBytes> stack{};
};

// Bytes at a sandbox address, in data or stack; what lies elsewhere is left out (and reads as 0).
void poke(Case& subject, std::uint64_t address, std::span<const std::uint8_t> bytes);
void peek(const Case& subject, std::uint64_t address, std::span<std::uint8_t> bytes);
void poke64(Case& subject, std::uint64_t address, std::uint64_t value);

// A register's number within its class; `name` is a register that has one.
std::size_t numberOf(ZydisRegister name);
// The register behind any name of a general register or part of one (al, ah, eax, rax…); nothing for others.
std::optional<Gpr> gprOf(ZydisRegister name);

}  // namespace qm::differ
