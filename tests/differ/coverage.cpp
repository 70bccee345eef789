#include "tests/differ/coverage.h"

#include <algorithm>
#include <map>
#include <tuple>

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace qm::differ {

namespace {

std::string_view nameOf(ZydisMnemonic mnemonic) {
  return mnemonic == ZYDIS_MNEMONIC_INVALID ? "(several)" : ZydisMnemonicGetString(mnemonic);
}

CoverageRow rowOf(const Inventory::Entry& entry, std::string_view place, const IsModelled& isModelled) {
  CoverageRow row{.mnemonic = entry.mnemonic, .place = std::string(place), .encodings = entry.forms.size()};
  row.modelled = static_cast<std::size_t>(
      std::ranges::count_if(entry.forms, [&](const Form& form) { return isModelled(exampleOf(form)); }));
  return row;
}

// Of rows that belong together.
struct Sum {
  std::size_t mnemonics = 0, modelled = 0, tested = 0;
  Tally tally;
  std::vector<std::string> missing;
};

std::map<std::string, Sum> sumsOf(std::span<const CoverageRow> rows, bool tested) {
  std::map<std::string, Sum> sums;
  for (const CoverageRow& row : rows) {
    if (row.isTested != tested) continue;
    Sum& sum = sums[row.place];
    ++sum.mnemonics;
    if (row.tally.cases > 0) ++sum.tested;
    sum.tally += row.tally;
    if (row.modelled == row.encodings) {
      ++sum.modelled;
    } else {
      const bool partly = row.modelled > 0;
      sum.missing.push_back(partly ? fmt::format("{} ({} of {})", nameOf(row.mnemonic), row.modelled, row.encodings)
                                   : std::string(nameOf(row.mnemonic)));
    }
  }
  return sums;
}

std::string listOf(const std::vector<std::string>& names) {
  return names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "));
}

}  // namespace

bool CoverageRow::operator<(const CoverageRow& other) const {
  return std::tuple(!isTested, std::string_view(place), nameOf(mnemonic)) <
         std::tuple(!other.isTested, std::string_view(other.place), nameOf(other.mnemonic));
}

std::vector<CoverageRow> coverageOf(const Inventory& inventory, const IsModelled& isModelled,
                                    const Differ::Tallies& tested) {
  std::vector<CoverageRow> rows;
  for (std::size_t i = 0; i < kFamilies; ++i) {
    const auto family = static_cast<Family>(i);
    // Families of programs have no instructions of their own.
    if (const auto found = tested.find({family, ZYDIS_MNEMONIC_INVALID}); found != tested.end())
      rows.push_back({.place = std::string(nameOf(family)), .isTested = true, .tally = found->second});
    for (const Inventory::Entry& entry : inventory.of(family)) {
      CoverageRow& row = rows.emplace_back(rowOf(entry, nameOf(family), isModelled));
      row.isTested = true;
      if (const auto found = tested.find({family, entry.mnemonic}); found != tested.end()) row.tally = found->second;
    }
  }
  for (const auto& [refusal, entries] : inventory.refused()) {
    if (refusal == Refusal::notOffered) continue;
    for (const Inventory::Entry& entry : entries) rows.push_back(rowOf(entry, nameOf(refusal), isModelled));
  }
  std::ranges::sort(rows, std::less{});
  return rows;
}

std::string coveragePage(std::vector<CoverageRow> rows, const std::string& how) {
  std::string page = fmt::format(
      "# Instructions of the CPU in software\n\nMade by `differ --coverage`, not by hand. Every mnemonic that the "
      "decoder knows of the features that template qm-v3-sha offers; an encoding is an opcode with its mandatory "
      "prefix, "
      "REX.W and kind of operand. {}\n\n## Tested against the host's CPU\n\n"
      "| family | mnemonics | modelled | tested | cases | failures | not modelled "
      "|\n|---|---:|---:|---:|---:|---:|---|\n",
      how);
  for (const auto& [place, sum] : sumsOf(rows, true))
    page += fmt::format("| {} | {} | {} | {} | {} | {} | {} |\n", place, sum.mnemonics, sum.modelled, sum.tested,
                        sum.tally.cases, sum.tally.failures, listOf(sum.missing));
  page += "\n## Not tested by the differ\n\n| why | mnemonics | modelled | not modelled |\n|---|---:|---:|---|\n";
  for (const auto& [place, sum] : sumsOf(rows, false))
    page += fmt::format("| {} | {} | {} | {} |\n", place, sum.mnemonics, sum.modelled, listOf(sum.missing));
  page +=
      "\n## By mnemonic\n\n| mnemonic | family, or why it is not tested | modelled | cases | failures "
      "|\n|---|---|---:|---:|---:|\n";
  for (const CoverageRow& row : rows)
    page += fmt::format("| {} | {} | {}/{} | {} | {} |\n", nameOf(row.mnemonic), row.place, row.modelled, row.encodings,
                        row.isTested ? fmt::format("{}", row.tally.cases) : "",
                        row.isTested ? fmt::format("{}", row.tally.failures) : "");
  return page;
}

}  // namespace qm::differ
