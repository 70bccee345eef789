// Linux KVM behind the seam. Needs Linux 5.x's interface: in-kernel interrupt controllers, immediate exit, 64-bit
// guests. Sources: Linux Documentation/virt/kvm/api.rst; the SDM for what the state means.
#pragma once

#include <filesystem>
#include <memory>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/result/result.h"

namespace qm {

// giveUp when the device is missing, not ours to open, or lacks what a VM needs; the sentence names it.
Result<std::unique_ptr<Hypervisor>> openKvm(const std::filesystem::path& device = "/dev/kvm");

}  // namespace qm
