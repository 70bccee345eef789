// From words to a command that has run.
#pragma once

#include "api/daemon/config/default_paths.h"

namespace qm::cli {

// Answers the program's exit code.
int runCommandLine(int count, char** words, const Environment& environment);

}  // namespace qm::cli
