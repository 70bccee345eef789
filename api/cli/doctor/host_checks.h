// Checks of the host by what its kernel tells in /proc and /sys. Each takes what was read: none is a file that is not
// there.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "api/cli/doctor/finding.h"

namespace qm::cli {

// /proc/sys/kernel/osrelease: "6.1.0-18-amd64"
Finding checkKernelRelease(std::string_view release);
// /proc/self/limits
Finding checkOpenFiles(std::string_view limits);
// Of the state folder's disk.
Finding checkDisk(std::uint64_t freeBytes);
// /proc/meminfo
Finding checkMemory(std::string_view meminfo);

}  // namespace qm::cli
