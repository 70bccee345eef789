// The jail's root: a small read-only tmpfs with the VM's folder, the read-only paths and the devices in it.
#pragma once

#include "vmm/jail/jail.h"
#include "vmm/jail/jail_plan.h"
#include "vmm/result/result.h"

namespace qm {

// Makes it, by the mould of `parts` if there is one, and enters it; the working directory is the VM's folder, which is
// `uid`'s from then on.
Status enterJailRoot(const JailPolicy& policy, const JailPlan& plan, const JailMaker& maker, const JailParts& parts,
                     uid_t uid);

// All of it but the VM's folder, of which there is an empty one in its place: the mould of many. In a mount namespace
// of one's own.
Status castJailRoot(const JailPolicy& policy, const JailPlan& plan, const JailMaker& maker);

}  // namespace qm
