// The file systems of a guest whose init is ours. Needs root.
#pragma once

#include <string>
#include <string_view>

#include "vmm/result/result.h"

namespace qm::guest {

// devtmpfs on /dev; what is there already stays.
Status mountDevices();
// proc, sysfs, devpts and tmpfs where Linux programs look for them; after mountDevices.
Status mountKernelFileSystems();

// Makes the file system on `device` (ext4 or erofs), read-only, below a tmpfs that takes all writes, the root; /dev,
// /proc and /sys move along. The image stays as it is and may be shared by any number of guests; what a guest writes
// costs its memory.
Status enterOverlay(const std::string& device);

// VALUE of the last NAME=VALUE on the kernel's command line; empty when there is none.
std::string kernelParameter(std::string_view commandLine, std::string_view name);

}  // namespace qm::guest
