#include "tests/differ/differ.h"

#include <algorithm>

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
  for (std::uint64_t index = 0; index < cases; index += batch_.size()) {
    batch_.resize(std::min<std::uint64_t>(kSlots, cases - index));
    for (std::size_t i = 0; i < batch_.size(); ++i) batch_[i] = generator_.make(caseOfRun(family, seed, index + i));
    total += TRY(compareBatch(onDifference));
  }
  return total;
}

Result<Tally> Differ::replay(const CaseSeed& seed, const OnDifference& onDifference) {
  batch_.assign(1, generator_.make(seed));
  return compareBatch(onDifference);
}

Result<Tally> Differ::compareBatch(const OnDifference& onDifference) {
  expected_.resize(batch_.size());
  got_.resize(batch_.size());
  TRY(reference_.run(batch_, expected_));
  TRY(tested_.run(batch_, got_));
  Tally total;
  for (std::size_t i = 0; i < batch_.size(); ++i) {
    const Case& subject = batch_[i];
    Tally one{.cases = 1};
    for (Ending* ending : {&expected_[i], &got_[i]})
      if (auto* outcome = std::get_if<Outcome>(ending)) forgive(subject, *outcome);
    const auto* outcome = std::get_if<Outcome>(&expected_[i]);
    if (outcome != nullptr && outcome->state.vector != kNoVector) one.exceptions = 1;
    if (!isSame(expected_[i], got_[i])) {
      one.failures = 1;
      onDifference(subject, expected_[i], got_[i]);
    }
    const bool isOne = subject.program.empty();
    byInstruction_[{subject.seed.family, isOne ? subject.instruction.info.mnemonic : ZYDIS_MNEMONIC_INVALID}] += one;
    total += one;
  }
  return total;
}

}  // namespace qm::differ
