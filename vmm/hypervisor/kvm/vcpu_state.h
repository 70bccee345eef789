// A vCPU's whole state out of KVM and into it, in the order that vmm/hypervisor/state.h gives and reasons for.
#pragma once

#include "vmm/hypervisor/kvm/host_features.h"
#include "vmm/hypervisor/state.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::kvm {

// `cpuid` is what the vCPU was given: KVM does not give it back.
Result<CpuState> saveVcpu(const FileDescriptor& vcpu, const HostFeatures& features, const CpuidTable& cpuid);
// CPUID is set already.
Status loadVcpu(const FileDescriptor& vcpu, const HostFeatures& features, const CpuState& state);

}  // namespace qm::kvm
