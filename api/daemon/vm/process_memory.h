// What a process holds, by /proc/PID/smaps_rollup (proc(5)).
#pragma once

#include <sys/types.h>

#include <string_view>

#include "pool/vm/vm_process.h"
#include "vmm/result/result.h"

namespace qm {

Result<pool::MemoryUse> processMemory(pid_t pid);
// The file's text: sums of its Private_ and Shared_ fields.
Result<pool::MemoryUse> memoryFromRollup(std::string_view text);

}  // namespace qm
