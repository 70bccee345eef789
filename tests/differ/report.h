// A difference, for people: the listing, and both states side by side.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tests/differ/case.h"
#include "tests/differ/machine.h"

namespace qm::differ {

struct Line {
  std::uint64_t address;
  std::span<const std::uint8_t> bytes;  // of the case
  std::optional<Instruction> instruction;
};
// The case's instructions in the order of their addresses.
std::vector<Line> linesOf(const Case& subject, const Codec& codec);

// Whether both ended the same way; a broken machine never did. Outcomes are forgiven already.
bool isSame(const Ending& a, const Ending& b);

// The names of the rows that differ, in one line: what failures that belong together have in common.
std::string differingRows(const Case& subject, const Ending& a, const Ending& b);

// Rows whose sides differ begin with a `*`. Registers stand in all reports, memory where it changed on either side.
std::string describe(const Case& subject, const Codec& codec, std::string_view aName, const Ending& a,
                     std::string_view bName, const Ending& b);

}  // namespace qm::differ
