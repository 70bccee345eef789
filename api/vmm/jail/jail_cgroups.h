// The control groups that the jail's command line names (cgroups(7)).
#pragma once

#include "api/vmm/jail/jail_options.h"
#include "vmm/result/result.h"

namespace qm::vmm {

// Makes PARENT/ID below each hierarchy that a setting belongs to, writes the settings and moves this process in. The
// groups stay when it ends. Nothing without settings. An older one of that name is used again.
Status enterCgroups(const JailOptions& options);

}  // namespace qm::vmm
