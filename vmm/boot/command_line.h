// The kernel's command line.
#pragma once

#include <string>
#include <vector>

#include "vmm/memory/guest_address.h"
#include "vmm/result/result.h"

namespace qm::boot {

// A virtio-mmio device as the kernel is told of it (Linux Documentation/admin-guide/kernel-parameters,
// virtio_mmio.device).
struct MmioDeviceHint {
  GuestAddress base;
  std::uint32_t gsi = 0;
};

// `arguments` and a word for each device. fixInput when it has a NUL or is longer than 2047 bytes.
Result<std::string> commandLine(const std::string& arguments, const std::vector<MmioDeviceHint>& devices);

}  // namespace qm::boot
