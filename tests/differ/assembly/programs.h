// The self-checking programs, and how one runs as a case.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/differ/machine.h"

namespace qm::differ {

struct Program {
  std::string_view name;
  std::string_view file;
  std::span<const std::uint8_t> code;
};
std::vector<Program> programs();

// What it starts from: program.h says it.
Case caseOf(const Program& program, std::size_t slot);
// Empty if all checks passed, else a sentence.
std::string failureOf(const Program& program, const Ending& ending);

}  // namespace qm::differ
