// A virtio device behind its transport. The transport has the registers, negotiates features, makes the queues and
// carries interrupts; the device gives the requests their meaning.
//
// Threads: every function of Device is called with the transport's lock held, from a vCPU's thread (config, activate,
// reset) or the event loop's (process). What a device does on its own account on the loop thread (a tap became
// readable) it does inside DeviceHost::enter. Watching a descriptor is the loop thread's, so activate() posts it there.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "vmm/devices/virtio/queue/queue.h"
#include "vmm/devices/virtio/state.h"
#include "vmm/memory/guest_memory.h"
#include "vmm/result/result.h"

namespace qm::virtio {

// What a device may ask of its transport.
class DeviceHost {
 public:
  virtual ~DeviceHost() = default;
  virtual GuestMemory& memory() = 0;
  // The driver's queue of that number. Only while the device is active and the lock is held; fixInput when the driver
  // did not set it up.
  virtual Result<Queue*> queue(std::uint16_t index) = 0;
  // Loop thread, lock not held: takes the lock, runs `work` if the device is active, then interrupts for what it
  // completed and fails the device if it answers an error.
  virtual void enter(const std::function<Status()>& work) = 0;
  // Lock held: the device's config space changed.
  virtual void configChanged() = 0;
};

class Device {
 public:
  virtual ~Device() = default;

  virtual DeviceKind kind() const = 0;
  // The device's own feature bits; the transport adds VERSION_1, INDIRECT_DESC and EVENT_IDX.
  virtual std::uint64_t features() const = 0;
  // The largest size of each queue: powers of two. Their count is the count of queues.
  virtual std::vector<std::uint16_t> queueSizes() const = 0;

  // Device-specific configuration (4.2.2.2). Beyond its end reads are 0 and writes are lost.
  virtual void readConfig(std::uint64_t offset, std::span<std::byte> into) const = 0;
  virtual void writeConfig(std::uint64_t offset, std::span<const std::byte> bytes) = 0;

  // The driver is ready, or the machine was restored with one that was. `host` outlives the device.
  virtual Status activate(DeviceHost& host, std::uint64_t features) = 0;
  // Back to before activate(): touches no queue from here on.
  virtual void reset() = 0;

  // The driver rang for that queue. Takes at most a queue's length of requests, so that a busy guest cannot hold the
  // loop; true: there are more.
  virtual Result<bool> process(std::uint16_t queueIndex) = 0;

  virtual DeviceState save() const = 0;
};

// The common shape of process(): hands requests to `handle` (Chain& → Result<bytes written>), completes them, rearms.
template <class Handle>
Result<bool> drain(Queue& queue, Handle handle) {
  for (std::uint16_t count = 0; count < queue.size(); ++count) {
    std::optional<Chain> chain = TRY(queue.pop());
    if (!chain) {
      if (!TRY(queue.rearm())) return false;
      continue;
    }
    const std::uint32_t written = TRY(handle(*chain));
    TRY(queue.complete(chain->head, written));
  }
  return true;
}

}  // namespace qm::virtio
