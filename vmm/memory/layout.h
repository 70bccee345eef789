// Where guest RAM lies: from 0 up to the hole below 4 GiB, and from 4 GiB up for what did not fit.
#pragma once

#include <cstdint>
#include <vector>

#include "vmm/memory/guest_address.h"

namespace qm {

// The hole: devices, IOAPIC and LAPIC live in [3 GiB, 4 GiB).
inline constexpr GuestAddress kMmioHoleStart{0xc000'0000};
inline constexpr GuestAddress kMmioHoleEnd{0x1'0000'0000};

struct MemoryRange {
  GuestAddress start;
  std::uint64_t bytes = 0;       // a multiple of 4 KiB, not 0
  std::uint64_t fileOffset = 0;  // where the range lies in a memory file: ranges follow each other without gaps

  GuestAddress end() const { return start + bytes; }
  bool operator==(const MemoryRange&) const = default;
};

// One or two ranges for `bytes` of RAM (a multiple of 4 KiB, at least one page).
std::vector<MemoryRange> ramLayout(std::uint64_t bytes);

}  // namespace qm
