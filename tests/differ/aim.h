// Directs an instruction's memory operands into the sandbox: chooses where each shall point, and solves for registers
// and displacement. What would point anywhere else could harm this process, since cases run natively too.
#pragma once

#include <cstdint>
#include <optional>

#include "tests/differ/case.h"

namespace qm::differ {

class Aim {
 public:
  Aim(Case& subject, Random& random) : case_(subject), random_(random) {}

  // Each of these answers false where the case cannot be made (a register that is needed for two things); the next
  // random instruction may.

  // All memory operands but those of string operations; fills what they point to with interesting values.
  bool allOperands();
  // From here on, no target that faults or that may only be read.
  void stayInside() { staysInside_ = true; }
  // Makes the operand, which is memory, point to `target`.
  bool operand(const ZydisDecodedOperand& operand, std::uint64_t target);
  // Gives the register this value, unless it is taken for something else.
  bool pin(Gpr gpr, std::uint64_t value);
  bool isPinned(Gpr gpr) const { return (pinned_ >> at(gpr) & 1U) != 0; }

  // Where an operand of that many bytes may lie: mostly inside the data, sometimes across pages, sometimes where it
  // faults.
  std::uint64_t chooseTarget(std::uint64_t bytes, bool addressIsFree);
  // Where the operand that is written out points to, if allOperands() found one.
  std::optional<std::uint64_t> target() const { return target_; }

 private:
  bool explicitOperand(const ZydisDecodedOperand& memory);
  bool stackRelative(const ZydisDecodedOperand& memory);
  bool solveBase(const ZydisDecodedOperandMem& memory, std::uint64_t sum);
  bool solveIndex(const ZydisDecodedOperandMem& memory, std::uint64_t sum);
  bool solveBoth(const ZydisDecodedOperandMem& memory, std::uint64_t sum);
  bool patchDisplacement(std::uint64_t value);
  std::uint64_t aligned(std::uint64_t address, std::uint64_t bytes);
  std::uint64_t segmentBase(ZydisRegister segment, bool mustBeSmall);
  std::uint64_t displacement(const ZydisDecodedOperandMem& memory) const;
  bool usesStack() const;
  bool isAddress32() const { return case_.instruction.info.address_width == 32; }
  // A register's new value, of which the address takes as many bits as it is wide.
  bool pinAddress(Gpr gpr, std::uint64_t value);

  Case& case_;
  Random& random_;
  bool staysInside_ = false;
  std::uint32_t pinned_ = 0;
  std::optional<std::uint64_t> target_;
};

}  // namespace qm::differ
