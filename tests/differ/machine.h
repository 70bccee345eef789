// What runs cases: this process, or a guest of a hypervisor.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <variant>

#include "tests/differ/case.h"
#include "vmm/result/result.h"

namespace qm::differ {

// The machine could not finish the case: it gave up, hung, or went where nothing should lead. Not an exception of the
// case, which is part of its outcome.
struct Broken {
  std::string reason;
};
using Ending = std::variant<Outcome, Broken>;

// The outcome to be written into; one that is there already is not cleared first.
inline Outcome& outcomeIn(Ending& ending) {
  auto* outcome = std::get_if<Outcome>(&ending);
  return outcome != nullptr ? *outcome : ending.emplace<Outcome>();
}

class Machine {
 public:
  virtual ~Machine() = default;
  virtual std::string name() const = 0;
  // Runs each case in its slot: the slots of `cases` are consecutive. `endings` has their size. An error says that
  // there is no machine (any more).
  virtual Status run(std::span<const Case> cases, std::span<Ending> endings) = 0;
};

}  // namespace qm::differ
