// The 8254 of a PC as far as loops that measure time with it need one: Intel 8254 data sheet (231164); port 0x61 as in
// the 82371 (PIIX) data sheet, 2.5.
//
// Modelled: the three counters with their control words, latches and read-back, counting down in real time; OUT of
// counter 2 with its gate, as port 0x61 shows it.
// Not modelled: the interrupt of counter 0, BCD, the exact clock in which a count is taken over, hardware triggers in
// modes 1 and 5 beyond starting over when the gate rises.
//
// A value. Its time is nanoseconds of the caller's clock, which does not go back. Ports 0x40-0x43 and 0x61.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "vmm/hypervisor/state.h"

namespace qm::soft {

class PitChip {
 public:
  PitChip();

  static bool ownsPort(std::uint16_t port);
  std::uint8_t read(std::uint16_t port, std::uint64_t ns);
  void write(std::uint16_t port, std::uint8_t value, std::uint64_t ns);

  Pit save() const;
  // The counters start over.
  void load(const Pit& state, std::uint64_t ns);

 private:
  void writeControl(std::uint8_t value, std::uint64_t ns);
  void writeCounter(PitChannel& channel, std::uint8_t value, std::uint64_t ns);
  std::uint8_t readCounter(PitChannel& channel, std::uint64_t ns);
  std::uint8_t readSpeaker(std::uint64_t ns) const;
  void writeSpeaker(std::uint8_t value, std::uint64_t ns);

  std::array<PitChannel, 3> channels_{};
  bool speakerOn_ = false;
};

}  // namespace qm::soft
