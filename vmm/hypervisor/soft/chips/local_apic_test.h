// For the tests of the local APIC: one that a guest has enabled, and the registers by which it is reached.
#pragma once

#include <cstdint>

#include "vmm/hypervisor/soft/chips/local_apic.h"

namespace qm::soft::apic_test {

inline constexpr std::uint32_t kGhz = 1'000'000;  // a TSC tick is a nanosecond
inline constexpr std::uint8_t kVector = 0x51;
inline constexpr std::uint32_t kMasked = 1U << 16U;
// Offsets in xAPIC's page.
inline constexpr std::uint32_t kId = 0x20, kVersion = 0x30, kTpr = 0x80, kPpr = 0xa0, kEoi = 0xb0, kLdr = 0xd0,
                               kDfr = 0xe0, kSvr = 0xf0, kIsr = 0x100, kTmr = 0x180, kIrr = 0x200, kEsr = 0x280,
                               kIcr = 0x300, kIcrHigh = 0x310, kLvtTimer = 0x320, kLint0 = 0x350, kLvtError = 0x370,
                               kInitial = 0x380, kCurrent = 0x390, kDivide = 0x3e0, kSelfIpi = 0x3f0;
// Of IA32_APIC_BASE.
inline constexpr std::uint64_t kBase = 0xfee0'0000, kOn = 1U << 11U, kX2 = 1U << 10U, kBsp = 1U << 8U;

// The MSR of the register at an offset.
inline std::uint32_t msr(std::uint32_t offset) {
  return 0x800 + offset / 16;
}

inline LocalApicChip enabled(std::uint32_t id = 1) {
  LocalApicChip apic(id, kGhz);
  apic.writePage(kSvr, 0x1ff, 0);
  return apic;
}
inline LocalApicChip enabledX2(std::uint32_t id = 1) {
  LocalApicChip apic = enabled(id);
  apic.setBase(kBase | kOn | kX2);
  return apic;
}
inline InterruptMessage fixed(std::uint8_t vector, Trigger trigger = Trigger::edge) {
  return {.vector = vector, .trigger = trigger};
}

}  // namespace qm::soft::apic_test
