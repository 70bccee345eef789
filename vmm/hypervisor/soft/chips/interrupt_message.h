// What the APICs send each other: the fields of the interrupt command register (SDM 3A, 11.6.1) and of an IOAPIC's
// redirection entry (82093AA, 3.2.4), which are the same but for the shorthand.
#pragma once

#include <cstdint>

namespace qm::soft {

// SDM 3A 11.6.1 and 11.5.1, with the encoding of bits 10:8.
enum class DeliveryMode : std::uint8_t {
  fixed = 0,
  lowestPriority = 1,
  smi = 2,
  remoteRead = 3,
  nmi = 4,
  init = 5,
  startUp = 6,
  external = 7,  // ExtINT: the vector is the PIC's
};
enum class Trigger : std::uint8_t { edge, level };
enum class DestinationMode : std::uint8_t { physical, logical };
// Bits 19:18 of the ICR.
enum class Shorthand : std::uint8_t { none = 0, self = 1, all = 2, allButSelf = 3 };

// Of 32 bits from an x2APIC's ICR; of 8 from an xAPIC's and from the IOAPIC.
enum class DestinationWidth : std::uint8_t { bits8, bits32 };

struct InterruptMessage {
  DeliveryMode mode = DeliveryMode::fixed;
  std::uint8_t vector = 0;
  Trigger trigger = Trigger::edge;
  Shorthand shorthand = Shorthand::none;
  DestinationMode destinationMode = DestinationMode::physical;
  DestinationWidth width = DestinationWidth::bits8;
  std::uint32_t destination = 0;

  // All ones address everybody, in both destination modes.
  bool isBroadcast() const { return destination == (width == DestinationWidth::bits8 ? 0xffU : 0xffff'ffffU); }
  bool operator==(const InterruptMessage&) const = default;
};

}  // namespace qm::soft
