// What a VM's control group is told, by what its process does.
#pragma once

#include <cstdint>

#include "pool/vm/vm_process.h"
#include "vmm/cgroup/cgroup_limits.h"

namespace qm {

// The guest's memory and the VMM's own. What clones share (a template's memory, its prepared code) the daemon has
// paid for.
CgroupLimits limitsOfClone(const pool::RestorePlan& plan);
// The guest's memory twice: it may be written to files that are memory too (a state folder on tmpfs).
CgroupLimits limitsOfBoot(const pool::BootPlan& plan);
// Of a process that decodes code for all clones.
CgroupLimits limitsOfPreparation();
// Of a process of which it is not known yet what it will be: a clone of the smallest recipe.
CgroupLimits limitsOfBlank();

}  // namespace qm
