// What one VM took from its process's beginning to its end. A value.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "vmm/slot/slot_fields.h"

namespace qm {

// Stretches of a VM's life, in their order.
enum class VmStretch : std::uint8_t {
  jail,   // its process is made, jailed and becomes the program
  start,  // until it takes requests
  load,   // as a blank, and until its guest is booted or restored
  renew,  // until its guest runs, has a new identity and has answered; a boot's guest starts in it
  use,    // until it is killed: ready, then a tenant's; after a reset, all that again
  end,    // until its memory is unmapped and it is gone
};
inline constexpr std::array kVmStretches{VmStretch::jail,  VmStretch::start, VmStretch::load,
                                         VmStretch::renew, VmStretch::use,   VmStretch::end};

constexpr std::string_view name(VmStretch stretch) {
  switch (stretch) {
    case VmStretch::jail:
      return "jail";
    case VmStretch::start:
      return "start";
    case VmStretch::load:
      return "load";
    case VmStretch::renew:
      return "renew";
    case VmStretch::use:
      return "use";
    case VmStretch::end:
      return "end";
  }
  return "unknown";
}

// What guests do is the VMM's word, within what its time allows (vmm/slot/slot_view.h).
struct GuestWork {
  std::uint64_t instructions = 0;  // 0 where nobody counts
  std::uint64_t decoded = 0;
  bool operator==(const GuestWork&) const = default;
};

struct VmUse {
  // The kernel's word from `renew` on. none: not known.
  std::array<std::optional<std::chrono::nanoseconds>, kVmStretches.size()> cpu;
  std::array<std::optional<std::uint64_t>, kVmStretches.size()> faults;  // of jail, start and load
  GuestWork renew, use;
  std::uint64_t populatedPages = 0;           // of the guest's memory, copied before it asked
  std::optional<std::uint64_t> privateBytes;  // when it was killed: what its guest had written, and its own
  std::array<std::uint64_t, slot::kExitKinds> exits{};
  bool isRefused = false;  // its slot page said what cannot be, and nothing here is of it

  std::optional<std::chrono::nanoseconds>& cpuOf(VmStretch stretch) { return cpu[static_cast<std::size_t>(stretch)]; }
  std::optional<std::uint64_t>& faultsOf(VmStretch stretch) { return faults[static_cast<std::size_t>(stretch)]; }
};

}  // namespace qm
