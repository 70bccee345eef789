// A CPU in software behind the seam, with its interrupt controllers and clocks: for every x86-64 host without KVM.
#pragma once

#include <cstdint>
#include <memory>

#include "vmm/hypervisor/hypervisor.h"
#include "vmm/result/result.h"

namespace qm {

// What a guest's time is: the host's, or the instructions it has executed (one nanosecond each), which makes a machine
// of one vCPU do the same thing each time.
enum class SoftClock : std::uint8_t { host, instructions };

struct SoftSettings {
  SoftClock clock = SoftClock::host;
  std::uint64_t seed = 0;  // of rdrand and rdseed, with SoftClock::instructions
};

// giveUp when the host's CPU lacks what every guest is offered (x86-64-v2); the sentence names it.
Result<std::unique_ptr<Hypervisor>> openSoft(const SoftSettings& settings = {});

}  // namespace qm
