// Why a vCPU stopped running guest code. A variant: who handles one handles all.
#pragma once

#include <cstdint>
#include <string>
#include <variant>

#include "vmm/hypervisor/state.h"
#include "vmm/memory/guest_address.h"

namespace qm {

// bytes: 1, 2, 4 or 8 for MMIO; 1, 2 or 4 for ports. Values in the low bytes, the rest 0. A read is answered with
// Vcpu::completeRead before the next run(). String instructions come element by element.
struct MmioRead {
  GuestAddress address;
  std::uint8_t bytes = 0;
};
struct MmioWrite {
  GuestAddress address;
  std::uint8_t bytes = 0;
  std::uint64_t value = 0;
};
struct IoRead {
  std::uint16_t port = 0;
  std::uint8_t bytes = 0;
};
struct IoWrite {
  std::uint16_t port = 0;
  std::uint8_t bytes = 0;
  std::uint32_t value = 0;
};
struct Halted {};       // hlt, where the backend does not wait for the interrupt itself
struct Shutdown {};     // triple fault
struct SystemReset {};  // the guest asked the platform for a reset
struct Interrupted {};  // kick(), or a signal
struct Alarm {};        // the moment of InstructionClock::setAlarm() has come
// The backend cannot go on. The VM ends with this reason; the registers are for the log.
struct Fault {
  std::string reason;
  Registers registers;
};

using VcpuExit =
    std::variant<MmioRead, MmioWrite, IoRead, IoWrite, Halted, Shutdown, SystemReset, Interrupted, Alarm, Fault>;

}  // namespace qm
