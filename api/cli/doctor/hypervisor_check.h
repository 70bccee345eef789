// What could run guests on this host, and which of it `auto` takes.
#pragma once

#include <vector>

#include "api/cli/doctor/finding.h"
#include "vmm/hypervisor/choice/choice.h"
#include "vmm/result/result.h"

namespace qm::cli {

// Which of its three states KVM is in. Another than hardware is a limit only: the CPU in software takes its place.
Finding checkKvm(const Result<KvmKind>& probed);
// Whether the CPU in software runs here: what opening it came to.
Finding checkSoft(const Status& opened);
// The decision first, then both of the above.
std::vector<Finding> checkHypervisors(const Result<KvmKind>& probed, const Status& opened);

}  // namespace qm::cli
