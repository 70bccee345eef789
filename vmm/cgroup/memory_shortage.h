// Why the kernel killed a process of a control group: whose memory was short.
#pragma once

#include <cstdint>
#include <string_view>

namespace qm {

enum class MemoryShortage : std::uint8_t {
  none,     // nothing was killed for want of memory
  group,    // the group needed more than its limit
  outside,  // a group above it, or the host: this one had what was wanted
};

// In lines of a name and a number (memory.events of version 2, memory.oom_control of version 1). A name that is not
// there counts 0: version 1 has `oom_kill` from Linux 4.13 on.
std::uint64_t eventIn(std::string_view lines, std::string_view name);

}  // namespace qm
