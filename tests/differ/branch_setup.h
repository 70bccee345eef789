// Branches: where they may go. The code around the instruction is int3, so that wherever one lands, the breakpoint's
// address tells it.
#pragma once

#include "tests/differ/aim.h"
#include "tests/differ/case.h"

namespace qm::differ {

bool setUpBranch(Case& subject, Aim& aim, Random& random);

}  // namespace qm::differ
