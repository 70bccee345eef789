// General, system and debug registers between KVM's form and ours, field by field.
#pragma once

#include <linux/kvm.h>

#include "vmm/hypervisor/state.h"

namespace qm::kvm {

Registers fromKvm(const kvm_regs& from);
kvm_regs toKvm(const Registers& from);

// Pending external interrupts (interrupt_bitmap) are PendingEvents' matter, so they do not appear here.
SystemRegisters fromKvm(const kvm_sregs& from);
kvm_sregs toKvm(const SystemRegisters& from);

DebugRegisters fromKvm(const kvm_debugregs& from);
kvm_debugregs toKvm(const DebugRegisters& from);

}  // namespace qm::kvm
