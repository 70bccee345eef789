// A virtqueue as a driver makes it (virtio 1.2, sections 2.7 and 4.2), with nothing checked: for deeds to spoil.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <span>
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

// A descriptor's flags.
inline constexpr std::uint16_t kNext = 1, kWritten = 2, kIndirect = 4;

struct Descriptor {
  std::uint64_t address = 0;
  std::uint32_t length = 0;
  std::uint16_t flags = 0;
  std::uint16_t next = 0;
};

// Addresses where no driver has a buffer: firmware's, over the end of 64 MiB of RAM, devices', beyond all memory.
inline constexpr std::array<std::uint64_t, 7> kNowhere{
    0, 0x9'f000, 0x3ff'fff0, 0xc000'1000, 0xfee0'0000, std::uint64_t{1} << 52U, ~std::uint64_t{0} - 15};

struct QueueAddresses {
  std::uint64_t descriptors = 0;
  std::uint64_t available = 0;
  std::uint64_t used = 0;
};

// Reset, then features: what comes next is Queue::place() for each queue, and readyDevice().
void beginDevice(const Window& window);
void readyDevice(const Window& window);

class Queue {
 public:
  static constexpr std::uint16_t kSize = 16;
  static constexpr std::uint16_t kLargest = 256;  // as many descriptors as are in a page

  Queue(const Window& window, std::uint32_t index);

  // At these addresses, ready.
  void place(const QueueAddresses& addresses, std::uint32_t size = kSize);
  void place(std::uint32_t size = kSize) { place(addresses(), size); }
  // A device that has this queue and no other.
  void start(const QueueAddresses& addresses, std::uint32_t size = kSize);
  void start() { start(addresses()); }

  void describe(std::uint16_t index, const Descriptor& descriptor);
  void describeIn(const Page& table, std::uint16_t index, const Descriptor& descriptor);
  // The next entry of the available ring, and the doorbell.
  void offer(std::uint16_t head);
  // Descriptors from 0 on, each linked to the next.
  void offerChain(std::span<const Descriptor> chain);
  // The ring's index as it is told to the device.
  void setAvailable(std::uint16_t index);
  void notify() const;
  // Until the device has given back all that was offered, or has failed, or so much time has gone by.
  void await(unsigned milliseconds = 100) const;
  // How many requests the device has given back, modulo 2^16; and the head of one of them.
  std::uint16_t used() const;
  std::uint16_t usedHead(std::uint16_t position) const;

  const Window& window() const { return window_; }
  std::uint32_t index() const { return index_; }
  const Page& buffer() const { return buffer_; }
  QueueAddresses addresses() const {
    return {.descriptors = descriptors_.address, .available = available_.address, .used = used_.address};
  }
  std::uint64_t descriptorsAt() const { return descriptors_.address; }

 private:
  const Window& window_;
  std::uint32_t index_;
  Page descriptors_;
  Page available_;
  Page used_;
  Page buffer_;
  std::uint16_t size_ = kSize;
  std::uint16_t offered_ = 0;
};

// The windows in which a device is.
const std::vector<Window>& virtioWindows();
// The first device of that kind (virtio 1.2, 5); none: nullptr, which is said.
const Window* windowOf(std::uint32_t kind);
// For every queue of every device.
void forEachQueue(const std::function<void(Queue&)>& deed);

}  // namespace hostile
