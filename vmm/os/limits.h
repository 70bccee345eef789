// Limits that the kernel keeps for a process (setrlimit(2)), and that what it starts inherits.
#pragma once

#include <cstdint>
#include <optional>

#include "vmm/result/result.h"

namespace qm {

// Soft and hard alike. none: as it is.
struct ProcessLimits {
  std::optional<std::uint64_t> openFiles;    // descriptors
  std::optional<std::uint64_t> fileBytes;    // of any file that is written
  std::optional<std::uint64_t> processes;    // and threads, of all processes of this user
  std::optional<std::uint64_t> lockedBytes;  // of memory
  std::optional<std::uint64_t> coreBytes;    // of a core dump
  bool operator==(const ProcessLimits&) const = default;
};

Status limitThis(const ProcessLimits& limits);

}  // namespace qm
