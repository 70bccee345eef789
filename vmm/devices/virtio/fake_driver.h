// The driver's side of virtio, for device tests: it finds, negotiates and rings a device by its registers, and lays out
// queues and requests in guest memory, so that a test reads like a guest.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "vmm/devices/line/fake_line.h"
#include "vmm/devices/virtio/mmio_transport.h"

namespace qm::virtio {

// Where a queue's parts lie; one queue per 64 KiB from 1 MiB up.
struct FakeQueueLayout {
  GuestAddress descriptors, available, used;
};
FakeQueueLayout fakeQueueLayout(std::uint16_t queue);

class FakeDriver {
 public:
  explicit FakeDriver(GuestMemory& memory, MmioTransport& transport) : memory_(&memory), transport_(&transport) {}

  // The whole initialisation of 3.1.1 with every offered feature but `without`; queues of `size`.
  void start(std::uint16_t size = 8, std::uint64_t without = 0);
  // Its pieces.
  void negotiate(std::uint64_t without = 0);
  void setUpQueue(std::uint16_t queue, std::uint16_t size, const FakeQueueLayout& layout);
  void setDriverOk() { writeRegister(0x70, 0xf); }
  void resetDevice() { writeRegister(0x70, 0); }

  std::uint32_t readRegister(std::uint64_t offset) { return static_cast<std::uint32_t>(transport_->read(offset, 4)); }
  void writeRegister(std::uint64_t offset, std::uint32_t value) { transport_->write(offset, 4, value); }
  bool needsReset() { return (readRegister(0x70) & 0x40U) != 0; }
  void acknowledgeInterrupt() { writeRegister(0x64, readRegister(0x60)); }

  // A request made buffer by buffer: FakeDriver::Chain(driver, 0).readable("…").writable(512).offer().
  class Chain {
   public:
    Chain(FakeDriver& driver, std::uint16_t queue) : driver_(driver), queue_(queue) {}
    Chain& readable(std::span<const std::byte> bytes);
    Chain& readable(std::string_view text) { return readable(std::as_bytes(std::span(text))); }
    Chain& writable(std::uint32_t bytes);
    // Raw, for what a good driver would not do.
    Chain& raw(std::uint64_t address, std::uint32_t bytes, std::uint16_t flags) { return add(address, bytes, flags); }
    // Puts it into the available ring; answers its head.
    std::uint16_t offer();
    // The same through an indirect table.
    std::uint16_t offerIndirect();
    // Where the nth buffer lies.
    GuestAddress address(std::size_t n) const { return GuestAddress{descriptors_.at(n).address}; }

   private:
    struct Descriptor {
      std::uint64_t address;
      std::uint32_t bytes;
      std::uint16_t flags;
      std::uint16_t next;
    };
    Chain& add(std::uint64_t address, std::uint32_t bytes, std::uint16_t flags);

    FakeDriver& driver_;
    std::uint16_t queue_;
    std::vector<Descriptor> descriptors_;
  };

  // Rings, and lets the device do its work as the event loop would.
  void ring(std::uint16_t queue = 0);
  // The next used element, if there is a new one: {head, written bytes}.
  std::optional<std::pair<std::uint32_t, std::uint32_t>> takeUsed(std::uint16_t queue = 0);
  std::vector<std::byte> readBytes(GuestAddress from, std::size_t bytes);

  // For tests that write rings themselves.
  void offerHead(std::uint16_t queue, std::uint16_t head);
  void writeDescriptor(std::uint16_t queue, std::uint16_t index, std::uint64_t address, std::uint32_t bytes,
                       std::uint16_t flags, std::uint16_t next);

 private:
  GuestAddress allocate(std::uint64_t bytes);

  GuestMemory* memory_;
  MmioTransport* transport_;
  std::uint64_t nextFree_ = 4ULL << 20U;
  std::uint16_t queueSize_ = 8;
  std::uint16_t nextDescriptor_[8] = {};
  std::uint16_t available_[8] = {};
  std::uint16_t used_[8] = {};
};

}  // namespace qm::virtio
