// What a control group holds its processes to, all of them together.
#pragma once

#include <cstdint>

namespace qm {

// 0: no limit of its own. Processors are shared by weight in any case: a group has one weight, however many threads are
// in it.
struct CgroupLimits {
  std::uint32_t memoryMib =
      0;  // anonymous memory, files' pages, page tables and sockets; beyond it processes are killed
  std::uint32_t processes = 0;   // and threads
  std::uint32_t cpuPercent = 0;  // of one processor's time; 150 are one and a half
  bool operator==(const CgroupLimits&) const = default;
};

// Larger numbers are a mistake.
inline constexpr std::uint32_t kMostCgroupMib = 1U << 24U;
inline constexpr std::uint32_t kMostCgroupProcesses = 1U << 20U;
inline constexpr std::uint32_t kMostCgroupPercent = 100'000;

}  // namespace qm
