// How a VM's process came to its end.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "vmm/spawner/message.h"

namespace qm {

enum class VmEnd : std::uint8_t {
  killed,           // by SIGKILL: by whoever had done with it, as a rule
  outOfMemory,      // by the kernel: its control group needed more than its limit
  hostOutOfMemory,  // by the kernel: a group above its own, or the host, was short of memory
  refusedCall,      // by itself, since a filter refused a system call
  crashed,          // by any other signal
  exited,           // by itself
};
inline constexpr std::size_t kVmEnds = 6;

constexpr std::string_view name(VmEnd end) {
  constexpr std::array<std::string_view, kVmEnds> kNames{"killed",       "out_of_memory", "host_out_of_memory",
                                                         "refused_call", "crashed",       "exited"};
  return kNames[static_cast<std::size_t>(end)];
}

VmEnd endOf(const spawner::Ended& ended);

struct VmEnding {
  std::string id;            // the first VM's of its process
  std::string templateName;  // empty: it was nobody's clone yet
  VmEnd how = VmEnd::killed;
  std::string why;  // a sentence's part: "it needed …"; empty when there is nothing to say
};

}  // namespace qm
