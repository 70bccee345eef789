// How a VM of the CPU in software is to be.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string_view>

#include "vmm/hypervisor/soft/host/host_counter.h"

namespace qm {

// What a guest's time is: the host's, or the instructions it has executed (one nanosecond each), which makes a machine
// of one vCPU do the same thing each time.
enum class SoftClock : std::uint8_t { host, instructions };

// What a VM's processors have done, all of them together.
struct SoftCounters {
  std::uint64_t instructions = 0;  // executed; one with a repeat prefix counts once
  std::uint64_t decoded = 0;
};

// Who is told. Each may be empty.
struct SoftObserver {
  // The first of each instruction that is not modelled, of each vCPU: its mnemonic and address. It raises #UD. From the
  // vCPU's thread.
  std::function<void(std::string_view mnemonic, std::uint64_t rip)> onUnmodelled;
  // What one vCPU has done since it was made: before it sleeps, and some ten thousand times a second while it does not.
  // From its thread; quick.
  std::function<void(std::uint32_t vcpu, const SoftCounters&)> onCount;
  // As the VM ends, from the thread that ends it.
  std::function<void(const SoftCounters&)> onEnd;
};

struct SoftSettings {
  SoftClock clock = SoftClock::host;
  // Of rdrand and rdseed, with SoftClock::instructions; a saved vCPU goes on with its own.
  std::uint64_t seed = 0;
  std::optional<soft::HostCounter> hostCounter;  // where somebody has measured it already
  SoftObserver observer;
};

}  // namespace qm
