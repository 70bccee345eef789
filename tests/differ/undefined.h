// What the manual leaves undefined: the one place where a difference is forgiven.
#pragma once

#include <cstdint>
#include <span>
#include <string_view>

#include "tests/differ/case.h"

namespace qm::differ {

struct UndefinedFlags {
  ZydisMnemonic mnemonic;
  std::uint64_t flags;  // bits of RFLAGS
  bool (*when)(const Case& subject);
  std::string_view source;  // Intel SDM volume 2, the instruction's page
};
std::span<const UndefinedFlags> undefinedFlags();

// The flags that no one may rely on after this case.
std::uint64_t undefinedAfter(const Case& subject);

// The count that a shift or rotation uses, masked to 5 or 6 bits (SDM 2B, SAL/SAR/SHL/SHR: "The count is masked").
unsigned countOf(const Case& subject);

// Whether the manual leaves the instruction's result itself undefined: no such case is made.
bool hasUndefinedResult(const Case& subject);

// Clears in an outcome what may differ: undefined flags, bytes that FXSAVE reserves, what the manual does not say of
// instructions that fault, and the x87's pointer to its last operand.
void forgive(const Case& subject, Outcome& outcome);

}  // namespace qm::differ
