// Where virtio devices stand: windows from Firecracker's base upwards, pins shared in turn. Machine-wide knowledge,
// since a snapshot keeps each device's place and the guest was told it at boot.
#pragma once

#include <cstddef>
#include <cstdint>

#include "vmm/memory/guest_address.h"

namespace qm {

struct VirtioPlace {
  GuestAddress base;
  std::uint32_t gsi = 0;
  bool operator==(const VirtioPlace&) const = default;
};

inline constexpr GuestAddress kFirstVirtioWindow{0xc000'1000};
inline constexpr std::uint64_t kVirtioWindowBytes = 4096;
// Pins of the IOAPIC below these belong to ISA devices.
inline constexpr std::uint32_t kFirstVirtioPin = 5, kVirtioPins = 19;
// As many windows as fit below the IOAPIC.
inline constexpr std::size_t kMaxVirtioDevices = 1024;

constexpr VirtioPlace virtioPlace(std::size_t n) {
  return {.base = kFirstVirtioWindow + n * kVirtioWindowBytes,
          .gsi = kFirstVirtioPin + static_cast<std::uint32_t>(n % kVirtioPins)};
}

// Whether a saved place is one that virtioPlace() gives.
constexpr bool isVirtioPlace(const VirtioPlace& place) {
  const std::uint64_t offset = place.base.value - kFirstVirtioWindow.value;
  return offset / kVirtioWindowBytes < kMaxVirtioDevices &&
         place == virtioPlace(static_cast<std::size_t>(offset / kVirtioWindowBytes));
}

}  // namespace qm
