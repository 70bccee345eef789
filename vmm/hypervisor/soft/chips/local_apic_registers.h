// The local APIC's registers: SDM 3A, table 11-1 (xAPIC's page) and table 11-6 (x2APIC's MSRs). The offset of a
// register in the page is its MSR's number below 0x800, times 16.
#pragma once

#include <cstddef>
#include <cstdint>

namespace qm::soft {

enum class ApicRegister : std::uint32_t {
  id = 0x020,
  version = 0x030,
  taskPriority = 0x080,
  arbitrationPriority = 0x090,  // xAPIC
  processorPriority = 0x0a0,
  endOfInterrupt = 0x0b0,
  remoteRead = 0x0c0,  // xAPIC
  logicalDestination = 0x0d0,
  destinationFormat = 0x0e0,  // xAPIC
  spuriousVector = 0x0f0,
  inService = 0x100,    // and 7 more
  triggerMode = 0x180,  // and 7 more
  request = 0x200,      // and 7 more
  errorStatus = 0x280,
  command = 0x300,
  commandHigh = 0x310,  // xAPIC: x2APIC's command is of 64 bits
  lvtTimer = 0x320,
  lvtThermal = 0x330,
  lvtPerformance = 0x340,
  lvtLint0 = 0x350,
  lvtLint1 = 0x360,
  lvtError = 0x370,
  initialCount = 0x380,
  currentCount = 0x390,
  divideConfiguration = 0x3e0,
  selfIpi = 0x3f0,  // x2APIC
};

// Six entries, 0x320 to 0x370.
inline constexpr std::size_t kLvtCount = 6;
inline constexpr std::size_t kTimerEntry = 0, kLint0Entry = 3, kErrorEntry = 5;

namespace lvt {
inline constexpr std::uint32_t kVector = 0xff, kDeliveryMode = 7U << 8U, kMasked = 1U << 16U;
inline constexpr std::uint32_t kPolarity = 1U << 13U, kLevel = 1U << 15U;  // LINT0, LINT1
inline constexpr std::uint32_t kTimerMode = 3U << 17U;
// What a guest can set in each; delivery status (12) and remote IRR (14) are the APIC's.
inline constexpr std::uint32_t kLint = kVector | kDeliveryMode | kPolarity | kLevel | kMasked;
inline constexpr std::uint32_t kSensor = kVector | kDeliveryMode | kMasked;
inline constexpr std::uint32_t kWritable[kLvtCount] = {
    kVector | kMasked | kTimerMode, kSensor, kSensor, kLint, kLint, kVector | kMasked};
}  // namespace lvt

namespace spurious {
inline constexpr std::uint32_t kEnabled = 1U << 8U;
inline constexpr std::uint32_t kWritable =
    0x3ff;  // EOI-broadcast suppression (12) goes with an IOAPIC that has an EOIR
}  // namespace spurious

// SDM 3A 11.5.3.
namespace apic_error {
inline constexpr std::uint32_t kSendIllegalVector = 1U << 5U, kReceiveIllegalVector = 1U << 6U,
                               kIllegalRegister = 1U << 7U;
}  // namespace apic_error

// Bits of the ICR's low half, SDM 3A figures 11-12 and 11-28.
namespace command {
inline constexpr std::uint32_t kVector = 0xff, kDeliveryMode = 7U << 8U, kLogical = 1U << 11U, kStatus = 1U << 12U,
                               kAssert = 1U << 14U, kLevel = 1U << 15U, kShorthand = 3U << 18U;
inline constexpr std::uint32_t kWritable = kVector | kDeliveryMode | kLogical | kAssert | kLevel | kShorthand;
}  // namespace command

// IA32_APIC_BASE, SDM 3A figures 11-5 and 11-26.
namespace apic_base {
inline constexpr std::uint64_t kBootProcessor = 1U << 8U, kX2Apic = 1U << 10U, kEnabled = 1U << 11U,
                               kAddress = 0x000f'ffff'ffff'f000, kResetAddress = 0xfee0'0000;
}  // namespace apic_base

// Version 0x14, an integrated APIC with six LVT entries, no suppression of EOI broadcasts.
inline constexpr std::uint32_t kApicVersion = 0x0005'0014;
// The vectors below are the exceptions': an interrupt with one is an error.
inline constexpr std::uint8_t kFirstLegalVector = 16;

}  // namespace qm::soft
