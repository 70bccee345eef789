// String operations: where they start, how often they go round, and how long they find equality.
#pragma once

#include "tests/differ/aim.h"
#include "tests/differ/case.h"

namespace qm::differ {

bool setUpString(Case& subject, Aim& aim, Random& random);

}  // namespace qm::differ
