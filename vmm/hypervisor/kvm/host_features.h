// What this host's KVM says of itself, asked once for each Hypervisor.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

#include "vmm/hypervisor/state.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::kvm {

struct HostFeatures {
  CpuidTable cpuid;
  std::vector<std::uint32_t> msrs;  // what a snapshot keeps of KVM's list, ascending
  std::size_t vcpuMappingBytes = 0;
  std::size_t xsaveBytes = 0;  // of KVM_GET_XSAVE2, at least 4096
  bool xsave2 = false;
  bool xcrs = false;
  bool tscControl = false;
  bool tripleFaultEvent = false;
  bool eventfds = false;
};

Result<HostFeatures> readHostFeatures(const FileDescriptor& device);

// Whether a snapshot keeps this MSR of KVM_GET_MSR_INDEX_LIST.
bool isKeptMsr(std::uint32_t index);

}  // namespace qm::kvm
