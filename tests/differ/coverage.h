// Which instructions a backend models, which of them were tested against the host, and which never are: a page of
// documentation.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tests/differ/differ.h"
#include "tests/differ/inventory.h"

namespace qm::differ {

// Whether the backend models the instruction at the start of these bytes (64-bit mode).
using IsModelled = std::function<bool(std::span<const std::uint8_t, ZYDIS_MAX_INSTRUCTION_LENGTH> example)>;

struct CoverageRow {
  ZydisMnemonic mnemonic = ZYDIS_MNEMONIC_INVALID;
  std::string place;  // its family, or why it is in none
  bool isTested = false;
  std::size_t encodings = 0, modelled = 0;
  Tally tally;
  bool operator<(const CoverageRow& other) const;
};

// One row for each mnemonic and family, of the features that template qm-v3-sha offers.
std::vector<CoverageRow> coverageOf(const Inventory& inventory, const IsModelled& isModelled,
                                    const Differ::Tallies& tested);

// As Markdown. `how` says how the cases were run.
std::string coveragePage(std::vector<CoverageRow> rows, const std::string& how);

}  // namespace qm::differ
