#include "api/daemon/vm/vm_limits.h"

#include <fmt/format.h>

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

std::string sentenceOf(MemoryShortage shortage, const CgroupLimits& limits, std::string_view templateName) {
  switch (shortage) {
    case MemoryShortage::none:
      return {};
    case MemoryShortage::group: {
      std::string sentence = fmt::format("it needed more than its limit of {} MiB", limits.memoryMib);
      if (!templateName.empty()) sentence += fmt::format(": raise limits.vmm_memory_mib of template {}", templateName);
      return sentence;
    }
    case MemoryShortage::outside:
      return "the kernel killed it, since the host or the daemon's own control group was short of memory: keep fewer "
             "VMs, or give them more";
  }
  return {};
}

}  // namespace qm
