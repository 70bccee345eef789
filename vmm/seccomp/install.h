// Hands a compiled filter to the kernel.
#pragma once

#include <linux/filter.h>

#include <span>

#include "vmm/result/result.h"

namespace qm::seccomp {

// For the calling thread.
Status install(std::span<const sock_filter> filter);

}  // namespace qm::seccomp
