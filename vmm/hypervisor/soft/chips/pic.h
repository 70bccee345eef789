// The two 8259A of a PC, the second on line 2 of the first: Intel 8259A data sheet (231468); ELCR as in the 82371
// (PIIX) data sheet, 4.1.
//
// Modelled: ICW1-4, OCW1-3, edge and level lines, priorities and their rotation, specific and automatic end of
// interrupt, special mask, special fully nested mode of the first chip, poll, the spurious line 7. As in KVM, an edge
// stays requested when its line falls before it is acknowledged. Not modelled: MCS-80/85 mode, buffered mode, level
// mode by ICW1 (the ELCR is the PC's way).
//
// A value. Ports 0x20, 0x21 (first), 0xa0, 0xa1 (second), 0x4d0, 0x4d1 (ELCR).
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "vmm/hypervisor/state.h"

namespace qm::soft {

class PicPair {
 public:
  PicPair();

  // Lines 0-15. 2 is the second chip's and nobody else's.
  void setLine(std::uint32_t line, bool raised);
  // The INTR pin.
  bool output() const { return output_; }
  // The vector that acknowledge() would give; nothing: INTR is low.
  std::optional<std::uint8_t> vector() const;
  // Both INTA cycles. Without a request (INTR fell meanwhile) it is the spurious line 7's.
  std::uint8_t acknowledge();

  static bool ownsPort(std::uint16_t port);
  std::uint8_t read(std::uint16_t port);
  void write(std::uint16_t port, std::uint8_t value);

  void save(Pic& primary, Pic& secondary) const;
  void load(const Pic& primary, const Pic& secondary);

 private:
  static constexpr std::size_t kPrimary = 0, kSecondary = 1;

  // The chip of a vector, and the line there.
  struct Choice {
    std::uint8_t primaryLine;
    std::optional<std::uint8_t> secondaryLine;
    std::uint8_t vector;
  };
  Choice choose() const;
  std::optional<std::uint8_t> highestRequest(std::size_t chip) const;
  std::uint8_t poll(std::size_t chip);
  void update();

  std::array<Pic, 2> chips_{};
  bool output_ = false;
};

}  // namespace qm::soft
