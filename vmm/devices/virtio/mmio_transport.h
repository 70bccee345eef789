// The virtio-mmio transport (virtio 1.2, 4.2): 4 KiB of registers in front of a device.
// Modelled: version 2 (modern) with all registers of table 4.1, feature negotiation, queue set-up, notification,
// interrupt
//   status and acknowledgement, the status state machine with FEATURES_OK and DEVICE_NEEDS_RESET, reset at any time,
//   config generation.
// Not modelled: version 1 (legacy), shared memory regions (none: their length reads as all ones), queue reset
//   (VIRTIO_F_RING_RESET), notification data.
//
// A driver or a guest that breaks the rules makes this one device fail: NEEDS_RESET is set, the driver is told, a
// counter is raised and, the first time and each time that it has doubled, a line is logged; the rest of the machine
// goes on. A reset by the driver brings the device back.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "vmm/bus/bus.h"
#include "vmm/devices/line/interrupt_line.h"
#include "vmm/devices/virtio/device.h"
#include "vmm/log/log.h"
#include "vmm/os/eventfd.h"

namespace qm::virtio {

inline constexpr std::uint64_t kMmioBytes = 4096;
inline constexpr std::uint64_t kQueueNotifyOffset = 0x50;

struct TransportWiring {
  GuestMemory& memory;
  LevelLine& interrupt;
  const Log& log;
  std::string id;  // in log lines
};

class MmioTransport final : public BusTarget, private DeviceHost {
 public:
  static Result<std::unique_ptr<MmioTransport>> create(std::unique_ptr<Device> device, TransportWiring wiring);
  // As it was saved; fixInput when the state does not fit the device (queues, features). The device is active if its
  // driver was ready; call kick() once the machine runs.
  static Result<std::unique_ptr<MmioTransport>> restore(std::unique_ptr<Device> device, TransportWiring wiring,
                                                        const TransportState& state);
  ~MmioTransport() override = default;

  // Any vCPU's thread.
  std::uint64_t read(std::uint64_t offset, std::uint8_t bytes) override;
  void write(std::uint64_t offset, std::uint8_t bytes, std::uint64_t value) override;

  // Signalled when the driver rings; watched by the event loop, which then calls serviceDoorbell(). Where the
  // hypervisor can, it is attached to the QueueNotify register for every queue number, and the vCPU does not even exit.
  const Eventfd& doorbell() const { return doorbell_; }
  // True: there is more to do, for which it was signalled again.
  bool serviceDoorbell();
  // Looks at all queues as if the driver had rung: after a resume, since a ring may have been lost with the old
  // process.
  void kick() { doorbell_.signal(); }

  std::uint16_t queueCount() const { return static_cast<std::uint16_t>(queueSizes_.size()); }
  DeviceKind kind() const { return device_->kind(); }
  TransportState save() const;
  DeviceState saveDevice() const;
  // How often this device failed for what its driver did.
  std::uint64_t failures() const { return failures_.load(std::memory_order_relaxed); }

 private:
  MmioTransport(std::unique_ptr<Device> device, TransportWiring wiring, Eventfd doorbell);

  GuestMemory& memory() override { return wiring_.memory; }
  Result<Queue*> queue(std::uint16_t index) override;
  void enter(const std::function<Status()>& work) override;
  void configChanged() override;

  std::uint32_t readRegister(std::uint64_t offset) const;
  void writeRegister(std::uint64_t offset, std::uint32_t value);
  void writeQueueRegister(std::uint64_t offset, std::uint32_t value);
  void writeStatus(std::uint32_t value);
  std::uint64_t offeredFeatures() const;
  Status activate();
  Status processAll(bool& more);
  Status interruptForCompleted();
  void raise(std::uint32_t bits);
  void fail(const Error& error);
  void reset();

  std::unique_ptr<Device> device_;
  TransportWiring wiring_;
  Eventfd doorbell_;
  std::vector<std::uint16_t> queueSizes_;
  std::atomic<std::uint64_t> failures_{0};

  mutable std::mutex mutex_;  // protects what follows and the device; the interrupt line's lock is taken inside
  TransportState state_;      // its queues' indices are stale while the device is active: queues_ has them
  std::vector<std::optional<Queue>> queues_;
  bool active_ = false;
};

}  // namespace qm::virtio
