// What of a jail this host allows.
#pragma once

#include <vector>

#include "api/cli/doctor/finding.h"
#include "vmm/jail/jail_probe.h"

namespace qm::cli {

// One finding when all of it works, else one for each part that does not.
std::vector<Finding> checkJail(const JailSupport& support);

}  // namespace qm::cli
