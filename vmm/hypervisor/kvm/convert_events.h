// Pending events and the run state between KVM's form and ours.
#pragma once

#include <linux/kvm.h>

#include "vmm/hypervisor/state.h"
#include "vmm/result/result.h"

namespace qm::kvm {

PendingEvents fromKvm(const kvm_vcpu_events& from);
// All groups valid, but those of capabilities that nobody enabled (exception payload, triple fault).
kvm_vcpu_events toKvm(const PendingEvents& from);

Result<RunState> fromKvm(const kvm_mp_state& from);
kvm_mp_state toKvm(RunState from);

}  // namespace qm::kvm
