// Runs cases in this process, on the host's CPU. One at a time exists: the sandbox has a fixed place, and signals are
// the process's.
#pragma once

#include <memory>

#include "tests/differ/generator.h"
#include "tests/differ/machine.h"

namespace qm::differ {

// giveUp where the CPU or its kernel lacks something (FSGSBASE in user mode), or the sandbox's place is taken.
Result<std::unique_ptr<Machine>> openNative(const Generator& generator);

}  // namespace qm::differ
