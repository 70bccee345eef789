// The device's side of a split virtqueue (virtio 1.2, 2.7), with indirect descriptors and the event index.
//
// Everything in the rings is the driver's word. It is read once, into a Chain that has been checked: no longer than the
// queue, every buffer in RAM, readable parts before writable ones, no loop, no indirect table within another. What
// breaks these rules is an Error (fixInput), upon which the device fails as a whole; the guest's memory is not touched
// further.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vmm/devices/virtio/queue/queue_state.h"
#include "vmm/memory/guest_memory.h"
#include "vmm/result/result.h"

namespace qm::virtio {

// Virtio 1.2, 6: feature bits that every queue here understands.
inline constexpr std::uint64_t kFeatureIndirect = 1ULL << 28U;
inline constexpr std::uint64_t kFeatureEventIndex = 1ULL << 29U;
inline constexpr std::uint64_t kFeatureVersion1 = 1ULL << 32U;

struct Buffer {
  GuestAddress address;
  std::uint32_t bytes = 0;
  bool operator==(const Buffer&) const = default;
};

// One request: what the device reads, then what it may write. At most 4 GiB in all.
struct Chain {
  std::uint16_t head = 0;
  std::vector<Buffer> readable;
  std::vector<Buffer> writable;

  std::uint64_t readableBytes() const;
  std::uint64_t writableBytes() const;
};

class Queue {
 public:
  // `state` is a queue that its driver declared ready, or a restored one. fixInput when its size is no power of two up
  // to `largest`, a ring is misaligned, not in RAM, or overlaps another.
  static Result<Queue> create(GuestMemory& memory, const QueueState& state, std::uint64_t features,
                              std::uint16_t largest);

  std::uint16_t size() const { return state_.size; }

  // The next request, if there is one.
  Result<std::optional<Chain>> pop();
  // Puts back what pop() gave last: it will be given again.
  void undoPop();
  // Gives a request back, with the count of bytes written to its writable part.
  Status complete(std::uint16_t head, std::uint32_t writtenBytes);
  // Asks the driver to ring at the next request; true: one came meanwhile, so look again.
  Result<bool> rearm();
  // Whether the driver wants an interrupt for what was completed since the last call.
  Result<bool> needsInterrupt();

  QueueState save() const { return state_; }

 private:
  struct Descriptor {
    std::uint64_t address;
    std::uint32_t bytes;
    std::uint16_t flags;
    std::uint16_t next;
  };

  Queue(GuestMemory& memory, const QueueState& state, std::uint64_t features)
      : memory_(&memory), state_(state), features_(features), lastSignalled_(state.nextUsed) {}
  Status append(const Descriptor& descriptor, Chain& chain) const;
  Status walk(GuestAddress table, std::uint32_t entries, std::uint16_t first, Chain& chain, bool indirectAllowed) const;
  Result<Descriptor> readDescriptor(GuestAddress table, std::uint32_t index) const;
  bool hasEventIndex() const { return (features_ & kFeatureEventIndex) != 0; }

  GuestMemory* memory_;
  QueueState state_;
  std::uint64_t features_;
  std::uint16_t lastSignalled_;  // used index at the last needsInterrupt()
};

// Copies between a chain's buffers and contiguous memory, from `offset` bytes into them. They answer how many bytes
// there were: fewer than asked when the chain is shorter.
Result<std::size_t> copyFrom(const GuestMemory& memory, std::span<const Buffer> buffers, std::uint64_t offset,
                             std::span<std::byte> into);
Result<std::size_t> copyTo(GuestMemory& memory, std::span<const Buffer> buffers, std::uint64_t offset,
                           std::span<const std::byte> bytes);

}  // namespace qm::virtio
