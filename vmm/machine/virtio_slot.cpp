#include "vmm/machine/virtio_slot.h"

#include <utility>

#include <fmt/format.h>

#include "vmm/result/check.h"

namespace qm {

Result<std::unique_ptr<VirtioSlot>> VirtioSlot::plug(PlacedDevice device, const VirtioSlotWiring& wiring) {
  std::unique_ptr<VirtioSlot> slot(new VirtioSlot(device.id, device.place, wiring));
  virtio::TransportWiring transport{wiring.memory, *slot->wire_, wiring.log, device.id};
  slot->transport_ =
      TRY(device.saved ? virtio::MmioTransport::restore(std::move(device.device), std::move(transport), *device.saved)
                       : virtio::MmioTransport::create(std::move(device.device), std::move(transport)));
  TRY(slot->attachDoorbell().during(fmt::format("plugging in device {}", slot->id_)));
  return slot;
}

Status VirtioSlot::attachDoorbell() {
  const Eventfd& doorbell = transport_->doorbell();
  if (wiring_.doorbells == Doorbells::unwatched) return {};
  TRY(wiring_.loop.watch(doorbell.file(), Ready::readable,
                         [this](Ready) { static_cast<void>(transport_->serviceDoorbell()); }));
  if (!wiring_.vm.hasEventfds()) return {};
  // One for all queues, whose number is what is written: KVM waits for its readers with each that comes or goes.
  TRY(wiring_.vm.attachDoorbell(place_.base + virtio::kQueueNotifyOffset, doorbell));
  isAttached_ = true;
  return {};
}

VirtioSlot::~VirtioSlot() {
  if (transport_ == nullptr) return;
  const Eventfd& doorbell = transport_->doorbell();
  // It was attached just so; a refusal would mean that the Vm is not the one we know.
  if (isAttached_) CHECK(wiring_.vm.detachDoorbell(place_.base + virtio::kQueueNotifyOffset, doorbell).has_value());
  wiring_.loop.unwatch(doorbell.file());
}

VirtioDeviceState VirtioSlot::save() const {
  return {.id = id_,
          .base = place_.base,
          .gsi = place_.gsi,
          .transport = transport_->save(),
          .device = transport_->saveDevice()};
}

}  // namespace qm
