// A virtqueue as a driver makes it (virtio 1.2, sections 2.7 and 4.2), with nothing checked: for deeds to spoil.
#pragma once

#include <cstdint>
#include <functional>
#include <vector>

#include "tests/attack/guest/physical.h"

namespace hostile {

// Offsets of virtio-mmio's registers (virtio 1.2, 4.2.2).
enum Register : std::uint64_t {
  kMagic = 0x00,
  kDeviceId = 0x08,
  kFeaturesSelect = 0x24,
  kDriverFeatures = 0x20,
  kQueueSelect = 0x30,
  kQueueMost = 0x34,
  kQueueSize = 0x38,
  kQueueReady = 0x44,
  kNotify = 0x50,
  kInterruptAck = 0x64,
  kStatus = 0x70,
  kDescriptorsAt = 0x80,
  kAvailableAt = 0x90,
  kUsedAt = 0xa0,
};

struct Descriptor {
  std::uint64_t address = 0;
  std::uint32_t length = 0;
  std::uint16_t flags = 0;  // 1: next, 2: the device writes, 4: indirect
  std::uint16_t next = 0;
};

struct QueueAddresses {
  std::uint64_t descriptors = 0;
  std::uint64_t available = 0;
  std::uint64_t used = 0;
};

class Queue {
 public:
  static constexpr std::uint16_t kSize = 16;

  Queue(const Window& window, std::uint32_t index);

  // Reset, features, this queue at these addresses, ready.
  void start(const QueueAddresses& addresses, std::uint32_t size = kSize);
  void start() { start({.descriptors = descriptors_.address, .available = available_.address, .used = used_.address}); }

  void describe(std::uint16_t index, const Descriptor& descriptor);
  void describeIn(const Page& table, std::uint16_t index, const Descriptor& descriptor);
  // The next entry of the available ring, and the doorbell.
  void offer(std::uint16_t head);
  // The ring's index as it is told to the device.
  void setAvailable(std::uint16_t index);
  void notify() const;

  const Window& window() const { return window_; }
  std::uint32_t index() const { return index_; }
  const Page& buffer() const { return buffer_; }
  std::uint64_t descriptorsAt() const { return descriptors_.address; }

 private:
  const Window& window_;
  std::uint32_t index_;
  Page descriptors_;
  Page available_;
  Page used_;
  Page buffer_;
  std::uint16_t offered_ = 0;
};

// The windows in which a device is.
const std::vector<Window>& virtioWindows();
// For every queue of every device.
void forEachQueue(const std::function<void(Queue&)>& deed);

}  // namespace hostile
