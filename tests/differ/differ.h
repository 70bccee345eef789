// Runs cases on two machines and tells where they part.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "tests/differ/generator.h"
#include "tests/differ/machine.h"
#include "vmm/result/result.h"

namespace qm::differ {

struct Tally {
  std::uint64_t cases = 0;
  std::uint64_t failures = 0;
  std::uint64_t exceptions = 0;  // cases that ended in one, on the first machine
  Tally& operator+=(const Tally& other);
};

class Differ {
 public:
  // All outlive the Differ. `reference` is who is right.
  Differ(const Generator& generator, Machine& reference, Machine& tested)
      : generator_(generator), reference_(reference), tested_(tested) {}

  // Called for each difference; report.h makes text of it.
  using OnDifference = std::function<void(const Case& subject, const Ending& expected, const Ending& got)>;
  // Cases `0 … cases` of the run `seed`.
  Result<Tally> run(Family family, std::uint64_t seed, std::uint64_t cases, const OnDifference& onDifference);
  Result<Tally> replay(const CaseSeed& seed, const OnDifference& onDifference);

  // How many cases there were of each instruction of each family; of programs as ZYDIS_MNEMONIC_INVALID.
  using Tallies = std::map<std::pair<Family, ZydisMnemonic>, Tally>;
  const Tallies& byInstruction() const { return byInstruction_; }

 private:
  // The cases of batch_.
  Result<Tally> compareBatch(const OnDifference& onDifference);

  const Generator& generator_;
  Machine& reference_;
  Machine& tested_;
  Tallies byInstruction_;
  // Kept between batches: fresh memory costs more than the cases.
  std::vector<Case> batch_;
  std::vector<Ending> expected_, got_;
};

}  // namespace qm::differ
