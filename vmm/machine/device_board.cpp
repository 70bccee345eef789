#include "vmm/machine/device_board.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace qm {

namespace {
constexpr std::uint32_t kKeyboardPin = 1, kSerialPin = 4;
constexpr std::uint64_t kSerialPort = 0x3f8, kI8042Port = 0x60, kCmosPort = 0x70;
}  // namespace

DeviceBoard::DeviceBoard(BoardWiring wiring, const SerialState& serial, const I8042State& i8042)
    : wiring_(std::move(wiring)),
      serialWire_(holdsInterrupt(serial) ? pin(kSerialPin).addRaisedWire() : pin(kSerialPin).addWire()),
      keyboard_(pin(kKeyboardPin)),
      serial_({.interrupt = *serialWire_, .onOutput = wiring_.onConsole}, serial),
      i8042_({.keyboard = keyboard_, .onReset = wiring_.onReset}, i8042),
      bootTimer_(wiring_.onInit) {}

Result<std::unique_ptr<DeviceBoard>> DeviceBoard::create(BoardWiring wiring, std::vector<PlacedDevice> virtioDevices,
                                                         const SerialState& serial, const I8042State& i8042) {
  std::unique_ptr<DeviceBoard> board(new DeviceBoard(std::move(wiring), serial, i8042));
  TRY(board->attachLegacy());
  for (PlacedDevice& device : virtioDevices) TRY(board->plug(std::move(device)));
  board->ports_.freeze();
  board->mmio_.freeze();
  return board;
}

SharedPin& DeviceBoard::pin(std::uint32_t gsi) {
  std::unique_ptr<SharedPin>& pin = pins_[gsi];
  if (pin == nullptr) {
    pin = std::make_unique<SharedPin>([&vm = wiring_.vm, &log = wiring_.log, gsi](bool raised) {
      if (const Status set = vm.setInterruptLine(gsi, raised); !set.has_value())
        log.error("interrupt.lost", {{"gsi", gsi}, {"reason", set.error().text()}});
    });
  }
  return *pin;
}

Status DeviceBoard::attachLegacy() {
  TRY(ports_.attach(kSerialPort, 8, serial_, "serial"));
  TRY(ports_.attach(kI8042Port, 5, i8042_, "i8042"));
  TRY(ports_.attach(kCmosPort, 2, cmos_, "cmos"));
  return mmio_.attach(kBootTimerAddress.value, kBootTimerBytes, bootTimer_, "boot-timer");
}

Status DeviceBoard::plug(PlacedDevice device) {
  if (!isVirtioPlace(device.place)) {
    return Error(Remedy::fixInput, fmt::format("device {} stands at {:#x} with GSI {}, where no virtio device can",
                                               device.id, device.place.base.value, device.place.gsi));
  }
  const std::string id = device.id;
  SharedPin& shared = pin(device.place.gsi);
  virtio_.push_back(TRY(VirtioSlot::plug(std::move(device), {.vm = wiring_.vm,
                                                             .memory = wiring_.memory,
                                                             .loop = wiring_.loop,
                                                             .log = wiring_.log,
                                                             .pin = shared,
                                                             .doorbells = wiring_.doorbells})));
  return mmio_.attach(virtio_.back()->place().base.value, kVirtioWindowBytes, virtio_.back()->transport(), id);
}

void DeviceBoard::kickAll() {
  for (const auto& slot : virtio_) slot->transport().kick();
}

void DeviceBoard::serveAll() {
  for (const auto& slot : virtio_) {
    while (slot->transport().serviceDoorbell()) {
    }
  }
}

void DeviceBoard::save(MachineState& state) const {
  state.serial = serial_.save();
  state.i8042 = i8042_.save();
  for (const auto& slot : virtio_) state.virtioDevices.push_back(slot->save());
  std::ranges::sort(state.virtioDevices, {}, &VirtioDeviceState::base);
}

std::uint64_t DeviceBoard::failures() const {
  std::uint64_t sum = 0;
  for (const auto& slot : virtio_) sum += slot->transport().failures();
  return sum;
}

}  // namespace qm
