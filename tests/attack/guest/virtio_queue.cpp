#include "tests/attack/guest/virtio_queue.h"

#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstring>
#include <string>

namespace hostile {

namespace {

void writeWide(const Window& window, std::uint64_t low, std::uint64_t value) {
  window.write32(low, static_cast<std::uint32_t>(value));
  window.write32(low + 4, static_cast<std::uint32_t>(value >> 32U));
}

void put16(const Page& page, std::size_t offset, std::uint16_t value) {
  std::memcpy(page.bytes + offset, &value, sizeof value);
}

std::uint16_t get16(const Page& page, std::size_t offset) {
  std::uint16_t value = 0;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  std::memcpy(&value, page.bytes + offset, sizeof value);
  return value;
}

}  // namespace

Queue::Queue(const Window& window, std::uint32_t index)
    : window_(window),
      index_(index),
      descriptors_(makePage()),
      available_(makePage()),
      used_(makePage()),
      buffer_(makePage()) {}

void beginDevice(const Window& window) {
  window.write32(kStatus, 0);
  window.write32(kStatus, 1);
  window.write32(kStatus, 3);
  // Bit 32, VIRTIO_F_VERSION_1, and of the transport's own nothing but indirect descriptors, bit 28.
  window.write32(kFeaturesSelect, 1);
  window.write32(kDriverFeatures, 1);
  window.write32(kFeaturesSelect, 0);
  window.write32(kDriverFeatures, 1U << 28U);
  window.write32(kStatus, 11);
}

void readyDevice(const Window& window) {
  window.write32(kStatus, 15);
}

void Queue::place(const QueueAddresses& addresses, std::uint32_t size) {
  offered_ = 0;
  size_ = size == 0 || size > kLargest ? kSize : static_cast<std::uint16_t>(size);
  std::memset(available_.bytes, 0, 4096);
  std::memset(used_.bytes, 0, 4096);
  window_.write32(kQueueSelect, index_);
  window_.write32(kQueueSize, size);
  writeWide(window_, kDescriptorsAt, addresses.descriptors);
  writeWide(window_, kAvailableAt, addresses.available);
  writeWide(window_, kUsedAt, addresses.used);
  window_.write32(kQueueReady, 1);
}

void Queue::start(const QueueAddresses& addresses, std::uint32_t size) {
  beginDevice(window_);
  place(addresses, size);
  readyDevice(window_);
}

void Queue::describeIn(const Page& table, std::uint16_t index, const Descriptor& descriptor) {
  static_assert(sizeof(Descriptor) == 16);
  std::memcpy(table.bytes + std::size_t{index} * sizeof descriptor, &descriptor, sizeof descriptor);
}

void Queue::describe(std::uint16_t index, const Descriptor& descriptor) {
  describeIn(descriptors_, index, descriptor);
}

void Queue::offer(std::uint16_t head) {
  put16(available_, 4 + std::size_t{2} * (offered_ % size_), head);
  setAvailable(static_cast<std::uint16_t>(offered_ + 1));
  notify();
}

void Queue::offerChain(std::span<const Descriptor> chain) {
  const std::size_t count = std::min<std::size_t>(chain.size(), kLargest);
  for (std::size_t i = 0; i < count; ++i) {
    Descriptor linked = chain[i];
    if (i + 1 < count) linked.flags |= kNext;
    linked.next = static_cast<std::uint16_t>(i + 1);
    describe(static_cast<std::uint16_t>(i), linked);
  }
  offer(0);
}

void Queue::setAvailable(std::uint16_t index) {
  offered_ = index;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  put16(available_, 2, index);
  std::atomic_thread_fence(std::memory_order_seq_cst);
}

void Queue::notify() const {
  window_.write32(kNotify, index_);
}

void Queue::await(unsigned milliseconds) const {
  constexpr std::uint32_t kNeedsReset = 0x40;
  const auto end = std::chrono::steady_clock::now() + std::chrono::milliseconds(milliseconds);
  while (used() != offered_ && (window_.read32(kStatus) & kNeedsReset) == 0) {
    if (std::chrono::steady_clock::now() > end) return;
    // The VMM's loop may want the processor that we would wait on.
    ::usleep(100);
  }
}

std::uint16_t Queue::used() const {
  return get16(used_, 2);
}

std::uint16_t Queue::usedHead(std::uint16_t position) const {
  return get16(used_, 4 + std::size_t{8} * (position % size_));
}

const std::vector<Window>& virtioWindows() {
  static const std::vector<Window> kWindows = [] {
    constexpr std::uint64_t kFirst = 0xc000'1000;
    constexpr std::uint64_t kMost = 16;
    constexpr std::uint32_t kVirt = 0x7472'6976;  // "virt"
    std::vector<Window> windows;
    for (std::uint64_t i = 0; i < kMost; ++i) {
      const Window window(kFirst + i * 4096);
      if (window.isMapped() && window.read32(kMagic) == kVirt && window.read32(kDeviceId) != 0)
        windows.push_back(window);
    }
    return windows;
  }();
  return kWindows;
}

const Window* windowOf(std::uint32_t kind) {
  const auto found = std::ranges::find(virtioWindows(), kind, [](const Window& w) { return w.read32(kDeviceId); });
  if (found != virtioWindows().end()) return &*found;
  say("there is no device of kind " + std::to_string(kind));
  return nullptr;
}

void forEachQueue(const std::function<void(Queue&)>& deed) {
  constexpr std::uint32_t kMostQueues = 8;
  for (const Window& window : virtioWindows()) {
    for (std::uint32_t index = 0; index < kMostQueues; ++index) {
      window.write32(kQueueSelect, index);
      if (window.read32(kQueueMost) == 0) continue;
      Queue queue(window, index);
      deed(queue);
      window.write32(kStatus, 0);
    }
  }
}

}  // namespace hostile
