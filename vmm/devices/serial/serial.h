// A 16550A UART, the guest's console.
// Source: National Semiconductor PC16550D data sheet, section 8; registers by their names there.
// Modelled: all eight registers, DLAB, the interrupts for received data and for an empty transmitter, the FIFO enable
// bits,
//   loopback of data (MCR bit 4), line status. Sent bytes go to the sink at once, so the transmitter is always empty.
// Not modelled: baud rate (kept, without effect), parity and framing errors, modem lines but as MCR's echo in loopback,
//   FIFO trigger levels and the character timeout (received data interrupts at once), DMA.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <span>

#include "vmm/bus/bus.h"
#include "vmm/devices/line/interrupt_line.h"
#include "vmm/devices/serial/serial_state.h"

namespace qm {

struct SerialWiring {
  LevelLine& interrupt;                                         // raised while an enabled interrupt is pending
  std::function<void(std::span<const std::uint8_t>)> onOutput;  // what the guest sent; under the device's lock
};

// Eight bytes of ports. Any thread.
class Serial final : public BusTarget {
 public:
  Serial(SerialWiring wiring, const SerialState& state);

  std::uint64_t read(std::uint64_t offset, std::uint8_t bytes) override;
  void write(std::uint64_t offset, std::uint8_t bytes, std::uint64_t value) override;

  // Host input; answers how many bytes there was room for.
  std::size_t receive(std::span<const std::uint8_t> bytes);
  SerialState save() const;

 private:
  std::uint8_t readRegister(std::uint64_t offset);
  void writeRegister(std::uint64_t offset, std::uint8_t value);
  void transmit(std::uint8_t byte);
  std::uint8_t identifyInterrupt();
  std::uint8_t lineStatus() const;
  void updateLine();

  SerialWiring wiring_;
  mutable std::mutex mutex_;  // protects state_; the line's lock is taken inside
  SerialState state_;
};

}  // namespace qm
