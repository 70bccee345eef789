// What another daemon left: VMs outlive it when it is killed.
#pragma once

#include <cstdint>
#include <filesystem>

#include "vmm/log/log.h"
#include "vmm/result/result.h"

namespace qm {

struct LeftOver {
  std::uint32_t folders = 0;    // found and removed
  std::uint32_t processes = 0;  // of these, still alive, and ended
  bool operator==(const LeftOver&) const = default;
};

// Ends every VM below `vms` and removes its folder, each with a line in the log. No daemon may be at work there.
Result<LeftOver> endLeftOverVms(const std::filesystem::path& vms, const Log& log);

}  // namespace qm
