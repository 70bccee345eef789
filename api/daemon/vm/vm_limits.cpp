#include "api/daemon/vm/vm_limits.h"

namespace qm {

namespace {

// A VMM has some ten threads, and one for each vCPU.
constexpr std::uint32_t kThreads = 64;

CgroupLimits limitsOf(std::uint64_t guestBytes, const pool::ResourceLimits& limits) {
  constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20U;
  const std::uint64_t guestMib = (guestBytes + kMebibyte - 1) / kMebibyte;
  const std::uint64_t memoryMib = guestMib + limits.vmmMemoryMib;
  return {.memoryMib = memoryMib < kMostCgroupMib ? static_cast<std::uint32_t>(memoryMib) : kMostCgroupMib,
          .processes = kThreads,
          .cpuPercent = limits.cpuPercent};
}

}  // namespace

CgroupLimits limitsOfClone(const pool::RestorePlan& plan) {
  return limitsOf(plan.memoryBytes, plan.limits);
}

CgroupLimits limitsOfBoot(const pool::BootPlan& plan) {
  return limitsOf(2 * plan.memoryBytes, plan.limits);
}

CgroupLimits limitsOfPreparation() {
  // Decoded code is at most some tens of MiB, and is there twice for a moment.
  constexpr std::uint32_t kMebibytes = 320;
  return {.memoryMib = kMebibytes, .processes = kThreads};
}

CgroupLimits limitsOfBlank() {
  return limitsOf(0, {});
}

}  // namespace qm
