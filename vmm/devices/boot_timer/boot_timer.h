// The boot timer: a guest's init writes byte 123 to a known MMIO address, and the host looks at its clock. The address
// and the byte are Firecracker's, so that its guests time themselves here too. Modelled: that write. Not modelled:
// anything else; reads are 0.
#pragma once

#include <cstdint>
#include <functional>

#include "vmm/bus/bus.h"
#include "vmm/memory/guest_address.h"

namespace qm {

inline constexpr GuestAddress kBootTimerAddress{0xc000'0000};
inline constexpr std::uint64_t kBootTimerBytes = 4096;

class BootTimer final : public BusTarget {
 public:
  // Called for each such write, from the writing vCPU's thread.
  explicit BootTimer(std::function<void()> onInit) : onInit_(std::move(onInit)) {}

  std::uint64_t read(std::uint64_t /*offset*/, std::uint8_t /*bytes*/) override { return 0; }
  void write(std::uint64_t offset, std::uint8_t /*bytes*/, std::uint64_t value) override {
    constexpr std::uint64_t kInitRuns = 123;
    if (offset == 0 && value == kInitRuns) onInit_();
  }

 private:
  std::function<void()> onInit_;
};

}  // namespace qm
