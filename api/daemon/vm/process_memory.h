// What a process holds, by /proc/PID/smaps_rollup (proc(5)).
#pragma once

#include <sys/types.h>

#include <cstdint>
#include <optional>
#include <string_view>

#include "pool/vm/vm_process.h"
#include "vmm/result/result.h"

namespace qm {

Result<pool::MemoryUse> processMemory(pid_t pid);
// The file's text: sums of its Private_ and Shared_ fields.
Result<pool::MemoryUse> memoryFromRollup(std::string_view text);

// Of /proc/PID/statm (proc(5)): pages that are this process's alone, in bytes; what it shares with a file it has not
// written is not in it. Three system calls; no look at the page tables. none: it has ended.
std::optional<std::uint64_t> anonymousMemory(pid_t pid);
std::optional<std::uint64_t> anonymousFromStatm(std::string_view text);

}  // namespace qm
