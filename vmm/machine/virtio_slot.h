// One virtio device plugged into a machine: its transport, its wire to a pin, its doorbell at the loop and, where the
// hypervisor can, at the vCPU's own exit path. Threads: the loop's.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "vmm/devices/line/shared_pin.h"
#include "vmm/devices/virtio/mmio_transport.h"
#include "vmm/hypervisor/hypervisor.h"
#include "vmm/loop/event_loop.h"
#include "vmm/machine/machine_state.h"
#include "vmm/machine/virtio_place.h"

namespace qm {

// A device that is not plugged in yet.
struct PlacedDevice {
  std::string id;
  VirtioPlace place;
  std::unique_ptr<virtio::Device> device;
  std::optional<virtio::TransportState> saved;  // none: as after reset
};

// Who has a device look at its queues: the loop when the driver rings, or whoever keeps the guest's time, at moments of
// it (serviceDoorbell()).
enum class Doorbells : std::uint8_t { watched, unwatched };

struct VirtioSlotWiring {
  Vm& vm;
  GuestMemory& memory;
  EventLoop& loop;
  const Log& log;
  SharedPin& pin;
  Doorbells doorbells = Doorbells::watched;
};

class VirtioSlot {
 public:
  static Result<std::unique_ptr<VirtioSlot>> plug(PlacedDevice device, const VirtioSlotWiring& wiring);
  VirtioSlot(const VirtioSlot&) = delete;
  VirtioSlot& operator=(const VirtioSlot&) = delete;
  ~VirtioSlot();

  virtio::MmioTransport& transport() { return *transport_; }
  const virtio::MmioTransport& transport() const { return *transport_; }
  const VirtioPlace& place() const { return place_; }
  VirtioDeviceState save() const;

 private:
  VirtioSlot(std::string id, VirtioPlace place, const VirtioSlotWiring& wiring)
      : id_(std::move(id)), place_(place), wiring_(wiring), wire_(wiring.pin.addWire()) {}
  Status attachDoorbell();

  std::string id_;
  VirtioPlace place_;
  VirtioSlotWiring wiring_;
  std::unique_ptr<LevelLine> wire_;
  std::unique_ptr<virtio::MmioTransport> transport_;
  bool isAttached_ = false;  // the doorbell, to the vCPUs' exit path
};

}  // namespace qm
