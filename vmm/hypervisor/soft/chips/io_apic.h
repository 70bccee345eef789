// The IOAPIC: 82093AA data sheet (Intel 290566), sections 3 and 4; 24 pins.
//
// Modelled: the register pair of IOREGSEL and IOWIN with id, version, arbitration id and redirection table; edge and
// level pins, the mask, remote IRR; all delivery modes but ExtINT and SMI, which nobody takes. As in KVM, `irr` of a
// snapshot has the pins whose line is up, without the edges that were sent, a masked edge is sent by no later unmask,
// and remote IRR falls when an entry becomes an edge's. Not modelled: polarity (a raised line is asserted whatever the
// bit says), delivery status (always idle), the EOI register of later versions, a base that moves.
//
// A value. What is to be sent is returned as pins; take() makes the message, and confirm() says that somebody took it.
#pragma once

#include <array>
#include <cstdint>

#include "vmm/hypervisor/soft/chips/interrupt_message.h"
#include "vmm/hypervisor/state.h"

namespace qm::soft {

// A bit for each pin.
using PinSet = std::uint32_t;

class IoApicChip {
 public:
  static constexpr std::uint32_t kPins = 24;

  IoApicChip() { redirection_.fill(kMasked); }

  // Pins from 24 on are nobody's.
  PinSet setLine(std::uint32_t pin, bool raised);
  // An offset from the base; others than the two registers' read 0.
  std::uint32_t read(std::uint32_t offset) const;
  PinSet write(std::uint32_t offset, std::uint32_t value);
  // The local APIC's end of a level-triggered interrupt: lines that are still up are to be sent again.
  PinSet endOfInterrupt(std::uint8_t vector);

  // The message of a pin that was returned as one to send.
  InterruptMessage take(std::uint32_t pin);
  // A level waits for its end of interrupt from here on.
  void confirm(std::uint32_t pin);

  IoApic save() const;
  PinSet load(const IoApic& state);

 private:
  static constexpr std::uint64_t kMasked = 1U << 16U;

  bool isLevel(std::uint32_t pin) const;
  bool canSend(std::uint32_t pin) const;
  PinSet levelToSend(std::uint32_t pin) const;
  std::uint32_t readWindow() const;
  PinSet writeWindow(std::uint32_t value);

  std::uint64_t baseAddress_ = 0xfec0'0000;
  std::uint8_t registerSelect_ = 0;
  std::uint8_t id_ = 0;   // 4 bits
  PinSet up_ = 0;         // lines
  PinSet sentEdges_ = 0;  // of those that are up
  std::array<std::uint64_t, kPins> redirection_{};
};

}  // namespace qm::soft
