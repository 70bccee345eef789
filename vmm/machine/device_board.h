// All devices of one machine on its two buses, each wired to its pin.
//
//   port 0x3f8-0x3ff   serial     GSI 4, edge            MMIO 0xc0000000   boot timer
//   port 0x60-0x64     i8042      GSI 1, edge            MMIO 0xc0001000…  virtio devices, one page each, GSI 5-23 in
//   port 0x70-0x71     CMOS                                                turn, level, shared
//
// Threads: the loop's, but for the buses, which vCPUs use.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <span>
#include <vector>

#include "vmm/bus/bus.h"
#include "vmm/devices/boot_timer/boot_timer.h"
#include "vmm/devices/cmos/cmos.h"
#include "vmm/devices/i8042/i8042.h"
#include "vmm/devices/serial/serial.h"
#include "vmm/machine/virtio_slot.h"

namespace qm {

struct BoardWiring {
  Vm& vm;
  GuestMemory& memory;
  EventLoop& loop;
  const Log& log;
  // These three from vCPU threads.
  std::function<void(std::span<const std::uint8_t>)> onConsole;
  std::function<void()> onReset;
  std::function<void()> onInit;
  Doorbells doorbells = Doorbells::watched;
};

class DeviceBoard {
 public:
  static Result<std::unique_ptr<DeviceBoard>> create(BoardWiring wiring, std::vector<PlacedDevice> virtioDevices,
                                                     const SerialState& serial = {}, const I8042State& i8042 = {});

  const Bus& ports() const { return ports_; }
  const Bus& mmio() const { return mmio_; }
  Serial& serial() { return serial_; }
  I8042& i8042() { return i8042_; }

  // Lets each virtio device look at its queues: after a resume, since a ring may have been lost with the old process.
  void kickAll();
  // Each virtio device does all that its driver has asked of it.
  void serveAll();
  // The devices' part of `state`.
  void save(MachineState& state) const;
  std::uint64_t failures() const;

 private:
  DeviceBoard(BoardWiring wiring, const SerialState& serial, const I8042State& i8042);
  Status attachLegacy();
  Status plug(PlacedDevice device);

  class Keyboard final : public EdgeLine {
   public:
    explicit Keyboard(SharedPin& pin) : wire_(pin.addWire()) {}
    void pulse() override {
      wire_->set(true);
      wire_->set(false);
    }

   private:
    std::unique_ptr<LevelLine> wire_;
  };

  SharedPin& pin(std::uint32_t gsi);

  BoardWiring wiring_;
  std::map<std::uint32_t, std::unique_ptr<SharedPin>> pins_;  // by GSI; outlive the wires of those below
  Bus ports_, mmio_;
  std::unique_ptr<LevelLine> serialWire_;
  Keyboard keyboard_;
  Serial serial_;
  I8042 i8042_;
  Cmos cmos_;
  BootTimer bootTimer_;
  std::vector<std::unique_ptr<VirtioSlot>> virtio_;
};

}  // namespace qm
