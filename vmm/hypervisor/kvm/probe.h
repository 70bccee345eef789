// What kind of /dev/kvm a host has. That it opens proves nothing: some hosts emulate the guest's kernel mode at a
// hundredth of its speed, and not all of its instructions. So a guest is run and timed.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <string>

#include "vmm/result/result.h"

namespace qm {

enum class KvmState : std::uint8_t {
  absent,    // does not open, or lacks what a VM needs
  emulated,  // opens, and runs kernel mode far too slowly or not at all: no stock kernel boots
  hardware,
};

struct KvmKind {
  KvmState state = KvmState::absent;
  std::string reason;  // for people: what was found
  // A million instructions, `lock cmpxchg16b` among them, in the guest's kernel mode and in this process. 0: not
  // measured.
  std::chrono::nanoseconds guestTime{0}, hostTime{0};
};

// Takes milliseconds on hardware, under a second elsewhere. An error is one of this process (no memory, no threads).
Result<KvmKind> probeKvm(const std::filesystem::path& device = "/dev/kvm");

}  // namespace qm
