#include "tests/differ/differ.h"

#include <algorithm>
#include <vector>

#include "tests/differ/report.h"
#include "tests/differ/undefined.h"

namespace qm::differ {

Tally& Tally::operator+=(const Tally& other) {
  cases += other.cases;
  failures += other.failures;
  exceptions += other.exceptions;
  return *this;
}

Result<Tally> Differ::run(Family family, std::uint64_t seed, std::uint64_t cases, const OnDifference& onDifference) {
  Tally total;
  std::vector<Case> batch;
  for (std::uint64_t index = 0; index < cases;) {
    const std::uint64_t size = std::min<std::uint64_t>(kSlots, cases - index);
    batch.clear();
    for (std::uint64_t i = 0; i < size; ++i) batch.push_back(generator_.make(caseOfRun(family, seed, index + i)));
    total += TRY(compare(batch, onDifference));
    index += size;
  }
  return total;
}

Result<Tally> Differ::replay(const CaseSeed& seed, const OnDifference& onDifference) {
  const Case subject = generator_.make(seed);
  return compare(std::span(&subject, 1), onDifference);
}

Result<Tally> Differ::compare(std::span<const Case> cases, const OnDifference& onDifference) {
  std::vector<Ending> expected(cases.size()), got(cases.size());
  TRY(reference_.run(cases, expected));
  TRY(tested_.run(cases, got));
  Tally total;
  for (std::size_t i = 0; i < cases.size(); ++i) {
    Tally one{.cases = 1};
    for (Ending* ending : {&expected[i], &got[i]})
      if (auto* outcome = std::get_if<Outcome>(ending)) forgive(cases[i], *outcome);
    const auto* outcome = std::get_if<Outcome>(&expected[i]);
    if (outcome != nullptr && outcome->state.vector != kNoVector) one.exceptions = 1;
    if (!isSame(expected[i], got[i])) {
      one.failures = 1;
      onDifference(cases[i],
                   describe(cases[i], generator_.codec(), reference_.name(), expected[i], tested_.name(), got[i]));
    }
    byMnemonic_[cases[i].instruction.info.mnemonic] += one;
    total += one;
  }
  return total;
}

}  // namespace qm::differ
