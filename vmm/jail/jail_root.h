// The jail's root: a small read-only tmpfs with the VM's folder, the read-only paths and the devices in it.
#pragma once

#include "vmm/jail/jail.h"
#include "vmm/jail/jail_plan.h"
#include "vmm/result/result.h"

namespace qm {

// Makes it and enters it; the working directory is the VM's folder.
Status enterJailRoot(const JailPolicy& policy, const JailPlan& plan, const JailMaker& maker);

}  // namespace qm
