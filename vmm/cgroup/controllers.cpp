#include "vmm/cgroup/controllers.h"

#include <utility>

namespace qm {

namespace {

// Microseconds; the kernel's own default. A quota is so much of it, and at least a millisecond.
constexpr std::uint32_t kCpuPeriod = 100'000;

std::string numberOr(std::uint64_t number, const char* none) {
  return number == 0 ? none : std::to_string(number);
}

CgroupSetting memorySetting(CgroupVersion version, std::uint32_t mebibytes) {
  const std::uint64_t bytes = std::uint64_t{mebibytes} << 20U;
  if (version == CgroupVersion::v1) return {.file = "memory.limit_in_bytes", .value = numberOr(bytes, "-1")};
  return {.file = "memory.max", .value = numberOr(bytes, "max")};
}

CgroupSetting cpuSetting(CgroupVersion version, std::uint32_t percent) {
  const std::uint64_t quota = std::uint64_t{percent} * (kCpuPeriod / 100);
  if (version == CgroupVersion::v1) return {.file = "cpu.cfs_quota_us", .value = numberOr(quota, "-1")};
  return {.file = "cpu.max", .value = numberOr(quota, "max") + " " + std::to_string(kCpuPeriod)};
}

}  // namespace

const char* nameOf(Controller controller) {
  switch (controller) {
    case Controller::memory:
      return "memory";
    case Controller::pids:
      return "pids";
    case Controller::cpu:
      return "cpu";
  }
  std::unreachable();
}

CgroupSetting settingOf(Controller controller, CgroupVersion version, const CgroupLimits& limits) {
  switch (controller) {
    case Controller::memory:
      return memorySetting(version, limits.memoryMib);
    case Controller::pids:
      return {.file = "pids.max", .value = numberOr(limits.processes, "max")};
    case Controller::cpu:
      return cpuSetting(version, limits.cpuPercent);
  }
  std::unreachable();
}

const char* chargedFile(CgroupVersion version) {
  return version == CgroupVersion::v1 ? "memory.usage_in_bytes" : "memory.current";
}

}  // namespace qm
