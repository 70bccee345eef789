// What a VM's control group is told, by what its process does.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pool/vm/vm_process.h"
#include "vmm/cgroup/cgroup_limits.h"
#include "vmm/cgroup/memory_shortage.h"

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

// Of a VM that the kernel ended for want of memory, why, and what to do: "it needed more than …". `templateName` may be
// empty: nobody's clone. Empty where memory was not the cause.
std::string sentenceOf(MemoryShortage shortage, const CgroupLimits& limits, std::string_view templateName);

}  // namespace qm
