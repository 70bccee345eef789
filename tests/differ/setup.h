// What single instructions need beyond aimed operands, so that they often do what they are for: divisions that fit,
// comparisons that find equality, returns to somewhere, counts that end.
#pragma once

#include "tests/differ/aim.h"
#include "tests/differ/case.h"

namespace qm::differ {

// Aims all operands of the case's instruction and sets up the rest. False where that cannot be; then another random
// instruction may.
bool setUp(Case& subject, Random& random);

}  // namespace qm::differ
