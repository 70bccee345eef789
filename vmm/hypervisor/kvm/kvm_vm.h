// A VM of KVM. See Vm for the contract.
#pragma once

#include <memory>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/hypervisor/kvm/host_features.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::kvm {

Result<std::unique_ptr<Vm>> createVm(const FileDescriptor& device, std::shared_ptr<const HostFeatures> features,
                                     PitModel pit);

}  // namespace qm::kvm
