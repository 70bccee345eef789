// What a VM's process holds, by /proc/PID/smaps (proc(5)), whose sums are smaps_rollup's.
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <string_view>

#include "vmm/result/result.h"

namespace qm::bench {

// A page that this process alone has mapped is private, be it a file's. So clones are looked at while others live.
struct ProcessMemory {
  std::uint64_t privateKib = 0;
  std::uint64_t sharedKib = 0;
  // Of privateKib: not in mappings of `ramFile`, the clone's RAM.
  std::uint64_t privateOutsideRamKib = 0;
  // Of `ramFile`'s mappings: pages that this process wrote to, and has a copy of.
  std::uint64_t writtenRamKib = 0;
  // For people who look for where it goes: private memory by mapping, "KiB name", largest first.
  std::string largest;
};

ProcessMemory memoryFromSmaps(std::string_view text, std::string_view ramFile);
Result<ProcessMemory> readProcessMemory(pid_t pid, std::string_view ramFile);

}  // namespace qm::bench
