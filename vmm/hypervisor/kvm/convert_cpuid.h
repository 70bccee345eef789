// CPUID tables between KVM's form and ours.
#pragma once

#include <linux/kvm.h>

#include <span>

#include "vmm/hypervisor/kvm/array_calls.h"
#include "vmm/hypervisor/kvm/flexible.h"
#include "vmm/hypervisor/state.h"

namespace qm::kvm {

using CpuidList = Flexible<CpuidHeader, kvm_cpuid_entry2>;

CpuidTable fromKvm(std::span<const kvm_cpuid_entry2> entries);
CpuidList toKvm(const CpuidTable& table);

}  // namespace qm::kvm
