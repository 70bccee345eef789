// A vCPU's whole state out of KVM and into it, in the order that vmm/hypervisor/state.h gives and reasons for.
#pragma once

#include "vmm/hypervisor/kvm/host_features.h"
#include "vmm/hypervisor/state.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::kvm {

// `cpuid` is what the vCPU was given: KVM does not give it back.
Result<CpuState> saveVcpu(const FileDescriptor& vcpu, const HostFeatures& features, const CpuidTable& cpuid);
// Whether the APIC's timer is of one shot and has reached zero (SDM 3A, 11.5.4): at that moment or long ago.
bool oneShotRanOut(const LocalApic& apic);
// Such a timer as one that was never armed: KVM would let it fire again upon a load. The guest can tell by its initial
// count, which nobody reads.
void disarmTimer(LocalApic& apic);
// CPUID is set already. The boot processor comes first.
Status loadVcpu(const FileDescriptor& vcpu, const HostFeatures& features, std::uint32_t index, const CpuState& state);

}  // namespace qm::kvm
