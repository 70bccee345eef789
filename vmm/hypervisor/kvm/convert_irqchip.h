// The VM's interrupt controllers and timer between KVM's form and ours.
#pragma once

#include <linux/kvm.h>

#include "vmm/hypervisor/state.h"

namespace qm::kvm {

Pic fromKvm(const kvm_pic_state& from);
kvm_pic_state toKvm(const Pic& from);

IoApic fromKvm(const kvm_ioapic_state& from);
kvm_ioapic_state toKvm(const IoApic& from);

Pit fromKvm(const kvm_pit_state2& from);
kvm_pit_state2 toKvm(const Pit& from);

}  // namespace qm::kvm
