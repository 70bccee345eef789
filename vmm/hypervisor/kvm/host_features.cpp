#include "vmm/hypervisor/kvm/host_features.h"

#include <linux/kvm.h>

#include <algorithm>

#include "vmm/hypervisor/kvm/array_calls.h"
#include "vmm/hypervisor/kvm/convert_cpuid.h"
#include "vmm/hypervisor/kvm/flexible.h"
#include "vmm/os/ioctl.h"

namespace qm::kvm {

namespace {

Result<int> capability(const FileDescriptor& device, int which) {
  return callIoctl(device, KVM_CHECK_EXTENSION, which, "KVM_CHECK_EXTENSION");
}

Result<CpuidTable> readCpuid(const FileDescriptor& device) {
  Flexible<CpuidHeader, kvm_cpuid_entry2> list(512);
  list.header()->nent = 512;
  TRY(callIoctl(device, kGetSupportedCpuid, list.header(), "KVM_GET_SUPPORTED_CPUID"));
  CpuidTable table = fromKvm(list.entries().first(list.header()->nent));
  // KVM leaves these two to user space: the deadline timer is the in-kernel APIC's, the hypervisor bit ours to say.
  const bool deadline = TRY(capability(device, KVM_CAP_TSC_DEADLINE_TIMER)) != 0;
  for (CpuidEntry& entry : table) {
    if (entry.leaf == 1) entry.ecx |= 1U << 31U | (deadline ? 1U << 24U : 0U);
  }
  return table;
}

Result<std::vector<std::uint32_t>> readMsrList(const FileDescriptor& device) {
  Flexible<MsrIndexHeader, std::uint32_t> list(1024);
  list.header()->nmsrs = 1024;
  TRY(callIoctl(device, kGetMsrIndexList, list.header(), "KVM_GET_MSR_INDEX_LIST"));
  std::vector<std::uint32_t> kept;
  for (const std::uint32_t index : list.entries().first(list.header()->nmsrs)) {
    if (isKeptMsr(index)) kept.push_back(index);
  }
  std::ranges::sort(kept);
  return kept;
}

}  // namespace

bool isKeptMsr(std::uint32_t index) {
  const auto within = [index](std::uint32_t first, std::uint32_t last) { return index >= first && index <= last; };
  // The old numbers of kvmclock's MSRs are second names of the new ones; writing them would tell KVM that the guest
  // uses the old protocol.
  if (index == 0x11 || index == 0x12) return false;
  if (within(0x4000'0000, 0x4000'01ff)) return false;  // Hyper-V's: no template offers them
  if (within(0x4b56'4d02, 0x4b56'4dff)) return false;  // KVM's asynchronous faults, steal time, EOI: likewise
  // No template offers a PMU (SDM 3B, 20; AMD APM 2, 13.2).
  if (within(0xc1, 0xc8) || within(0x186, 0x18d) || within(0x309, 0x30c) || within(0x345, 0x345) ||
      within(0x38d, 0x391) || within(0x3f1, 0x3f1) || within(0x4c1, 0x4c8) || within(0x600, 0x600) ||
      within(0xc001'0000, 0xc001'0007) || within(0xc001'0200, 0xc001'020b) || within(0x14ce, 0x14cf)) {
    return false;
  }
  if (within(0x480, 0x493)) return false;  // VMX capabilities: no nested guests
  return true;
}

Result<HostFeatures> readHostFeatures(const FileDescriptor& device) {
  HostFeatures features;
  features.cpuid = TRY(readCpuid(device));
  features.msrs = TRY(readMsrList(device));
  const int mapping = TRY(callIoctl(device, KVM_GET_VCPU_MMAP_SIZE, 0, "KVM_GET_VCPU_MMAP_SIZE"));
  features.vcpuMappingBytes = static_cast<std::size_t>(mapping);
  const int xsave2 = TRY(capability(device, KVM_CAP_XSAVE2));
  features.xsave2 = xsave2 > 0;
  features.xsaveBytes = std::max<std::size_t>(static_cast<std::size_t>(xsave2), sizeof(XsaveHeader));
  features.xcrs = TRY(capability(device, KVM_CAP_XCRS)) > 0;
  features.tscControl = TRY(capability(device, KVM_CAP_TSC_CONTROL)) > 0;
  features.eventfds = TRY(capability(device, KVM_CAP_IOEVENTFD)) > 0 && TRY(capability(device, KVM_CAP_IRQFD)) > 0;
  return features;
}

}  // namespace qm::kvm
