// The i8042 keyboard controller, the part a guest needs to reboot and to hear Ctrl+Alt+Del.
// Sources: IBM PS/2 Hardware Interface Technical Reference, keyboard controller; scan code set 2.
// Modelled: status and data ports, self test, interface test, configuration and output port read and written, keyboard
//   disabled and enabled, pulse of the reset line (0xfe), and scan codes injected by the host.
// Not modelled: the mouse port, scan code translation, A20 (always on), LEDs; commands to the keyboard itself are
//   acknowledged and without effect.
#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <span>

#include "vmm/bus/bus.h"
#include "vmm/devices/i8042/i8042_state.h"
#include "vmm/devices/line/interrupt_line.h"

namespace qm {

struct I8042Wiring {
  EdgeLine& keyboard;
  std::function<void()> onReset;  // the guest pulsed the reset line; called from its vCPU's thread
};

// Ports 0x60 to 0x64. Any thread.
class I8042 final : public BusTarget {
 public:
  I8042(I8042Wiring wiring, const I8042State& state) : wiring_(std::move(wiring)), state_(state) {}

  std::uint64_t read(std::uint64_t offset, std::uint8_t bytes) override;
  void write(std::uint64_t offset, std::uint8_t bytes, std::uint64_t value) override;

  void pressCtrlAltDel();
  I8042State save() const;

 private:
  enum class Outcome : std::uint8_t { nothing, interrupt, reset };
  Outcome command(std::uint8_t value);
  Outcome data(std::uint8_t value);
  Outcome answer(std::uint8_t byte);
  void deliver(Outcome outcome);

  I8042Wiring wiring_;
  mutable std::mutex mutex_;  // protects state_; wiring is called without it
  I8042State state_;
};

}  // namespace qm
