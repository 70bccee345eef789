// A guest's time: its TSC, which runs at the frequency that the guest was told, and what follows from it.
// Threads: any; each function says.
#pragma once

#include <atomic>
#include <cstdint>

#include "vmm/hypervisor/soft/cpu/cpu.h"
#include "vmm/hypervisor/soft/soft_hypervisor.h"

namespace qm::soft {

class GuestClock {
 public:
  GuestClock(SoftClock kind, std::uint32_t tscKhz) : kind_(kind), tscKhz_(tscKhz) {}

  SoftClock kind() const { return kind_; }
  std::uint32_t tscKhz() const { return tscKhz_; }

 private:
  SoftClock kind_;
  std::uint32_t tscKhz_;
};

// The vCPU's TSC at this moment. Its own thread.
std::uint64_t readTsc(Cpu& cpu);

}  // namespace qm::soft
