// What the CPU in software's own decoder says of an instruction.
#pragma once

#include "tests/differ/coverage.h"

namespace qm::differ {

IsModelled modelledBySoft();

}  // namespace qm::differ
