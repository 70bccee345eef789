// The CMOS clock's two ports, 0x70 and 0x71 (Motorola MC146818 data sheet).
// Modelled: nothing but reads of 0. A kernel without kvmclock would otherwise read all ones, take the
// update-in-progress
//   bit for stuck, and lose a second waiting (Linux, mach_get_cmos_time).
// Not modelled: the clock, its alarms, the CMOS memory.
#pragma once

#include <cstdint>

#include "vmm/bus/bus.h"

namespace qm {

class Cmos final : public BusTarget {
 public:
  std::uint64_t read(std::uint64_t /*offset*/, std::uint8_t /*bytes*/) override { return 0; }
  void write(std::uint64_t /*offset*/, std::uint8_t /*bytes*/, std::uint64_t /*value*/) override {}
};

}  // namespace qm
