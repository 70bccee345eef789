// A vCPU of KVM. See Vcpu for the contract.
#pragma once

#include <cstdint>
#include <memory>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/hypervisor/kvm/host_features.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::kvm {

Result<std::unique_ptr<Vcpu>> createVcpu(const FileDescriptor& vm, std::shared_ptr<const HostFeatures> features,
                                         std::uint32_t index);

}  // namespace qm::kvm
