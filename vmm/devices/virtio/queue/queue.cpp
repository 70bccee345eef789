#include "vmm/devices/virtio/queue/queue.h"

#include <algorithm>
#include <array>
#include <bit>

#include <fmt/format.h>

namespace qm::virtio {

namespace {

constexpr std::uint16_t kNext = 1, kWrite = 2, kIndirect = 4;
constexpr std::uint16_t kNoInterrupt = 1;
constexpr std::uint64_t kDescriptorBytes = 16;

// 2.7: sizes of the three parts. The event index adds two bytes to each ring.
constexpr std::uint64_t descriptorTableBytes(std::uint16_t size) {
  return kDescriptorBytes * size;
}
constexpr std::uint64_t availableRingBytes(std::uint16_t size) {
  return 6 + 2ULL * size;
}
constexpr std::uint64_t usedRingBytes(std::uint16_t size) {
  return 6 + 8ULL * size;
}

Error hostile(std::string sentence) {
  return {Remedy::fixInput, std::move(sentence)};
}

struct Part {
  const char* name;
  GuestAddress start;
  std::uint64_t bytes;
  std::uint64_t alignment;
};

Status checkParts(const GuestMemory& memory, std::span<const Part> parts) {
  for (const Part& part : parts) {
    if (part.start.value % part.alignment != 0)
      return hostile(
          fmt::format("the queue's {} at {:#x} is not aligned to {}", part.name, part.start.value, part.alignment));
    TRY(memory.hostRange(part.start, part.bytes).during(fmt::format("the queue's {}", part.name)));
  }
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (std::size_t j = i + 1; j < parts.size(); ++j) {
      const bool apart =
          parts[i].start + parts[i].bytes <= parts[j].start || parts[j].start + parts[j].bytes <= parts[i].start;
      if (!apart) return hostile(fmt::format("the queue's {} overlaps its {}", parts[i].name, parts[j].name));
    }
  }
  return {};
}

std::uint64_t sum(std::span<const Buffer> buffers) {
  std::uint64_t bytes = 0;
  for (const Buffer& buffer : buffers) bytes += buffer.bytes;
  return bytes;
}

}  // namespace

std::uint64_t Chain::readableBytes() const {
  return sum(readable);
}
std::uint64_t Chain::writableBytes() const {
  return sum(writable);
}

Result<Queue> Queue::create(GuestMemory& memory, const QueueState& state, std::uint64_t features,
                            std::uint16_t largest) {
  if (!std::has_single_bit(state.size) || state.size > largest)
    return hostile(
        fmt::format("a queue of {} entries is none that was offered (a power of two up to {})", state.size, largest));
  const std::array<Part, 3> parts{
      {{"descriptor table", GuestAddress{state.descriptorTable}, descriptorTableBytes(state.size), 16},
       {"available ring", GuestAddress{state.availableRing}, availableRingBytes(state.size), 2},
       {"used ring", GuestAddress{state.usedRing}, usedRingBytes(state.size), 4}}};
  TRY(checkParts(memory, parts));
  return Queue(memory, state, features);
}

Result<std::optional<Chain>> Queue::pop() {
  const GuestAddress ring{state_.availableRing};
  // Acquire: the entries that the driver wrote before the index are seen after it (2.7.13.3).
  const std::uint16_t available = TRY(memory_->loadAcquire16(ring + 2));
  const auto waiting = static_cast<std::uint16_t>(available - state_.nextAvailable);
  if (waiting == 0) return std::optional<Chain>();
  if (waiting > state_.size)
    return hostile(fmt::format("the driver offers {} requests in a queue of {}", waiting, state_.size));
  const std::uint64_t slot = state_.nextAvailable % state_.size;
  Chain chain{.head = TRY(memory_->readObject<std::uint16_t>(ring + 4 + 2 * slot))};
  TRY(walk(GuestAddress{state_.descriptorTable}, state_.size, chain.head, chain, true));
  ++state_.nextAvailable;
  return std::optional(std::move(chain));
}

void Queue::undoPop() {
  --state_.nextAvailable;
}

Result<Queue::Descriptor> Queue::readDescriptor(GuestAddress table, std::uint32_t index) const {
  static_assert(sizeof(Descriptor) == kDescriptorBytes);
  return memory_->readObject<Descriptor>(table + kDescriptorBytes * index);
}

Status Queue::append(const Descriptor& descriptor, Chain& chain) const {
  // Contents are checked for RAM here and again at each access: the address is a copy, so it cannot change in between.
  TRY(memory_->hostRange(GuestAddress{descriptor.address}, descriptor.bytes).during("a buffer of the queue"));
  const Buffer buffer{GuestAddress{descriptor.address}, descriptor.bytes};
  if ((descriptor.flags & kWrite) != 0) {
    chain.writable.push_back(buffer);
    return {};
  }
  if (!chain.writable.empty()) return hostile("a request has a readable buffer behind a writable one");
  chain.readable.push_back(buffer);
  return {};
}

// Follows the chain from `first` through a table. A chain has at most as many buffers as the queue has entries
// (2.7.5.3.1); a loop runs into that bound.
Status Queue::walk(GuestAddress table, std::uint32_t entries, std::uint16_t first, Chain& chain,
                   bool indirectAllowed) const {
  std::uint16_t index = first;
  for (std::uint32_t steps = 0;; ++steps) {
    if (index >= entries) return hostile(fmt::format("a request names descriptor {} of {}", index, entries));
    if (steps >= entries || chain.readable.size() + chain.writable.size() >= state_.size)
      return hostile("a request's descriptors form a loop, or more than the queue has");
    const Descriptor descriptor = TRY(readDescriptor(table, index));
    if ((descriptor.flags & kIndirect) != 0) {
      if (!indirectAllowed) return hostile("a request has an indirect table within another");
      if ((descriptor.flags & kNext) != 0) return hostile("a request goes on behind its indirect table");
      if ((features_ & kFeatureIndirect) == 0)
        return hostile("a request uses an indirect table, which was not agreed on");
      if (descriptor.bytes == 0 || descriptor.bytes % kDescriptorBytes != 0)
        return hostile(fmt::format("an indirect table has {} bytes", descriptor.bytes));
      return walk(GuestAddress{descriptor.address}, descriptor.bytes / kDescriptorBytes, 0, chain, false);
    }
    TRY(append(descriptor, chain));
    if ((descriptor.flags & kNext) == 0) break;
    index = descriptor.next;
  }
  constexpr std::uint64_t kMost = 1ULL << 32U;
  if (chain.readableBytes() + chain.writableBytes() > kMost)
    return hostile("a request's buffers add up to more than 4 GiB");
  return {};
}

Status Queue::complete(std::uint16_t head, std::uint32_t writtenBytes) {
  const GuestAddress ring{state_.usedRing};
  const std::array<std::uint32_t, 2> element{head, writtenBytes};
  TRY(memory_->writeObject(ring + 4 + 8ULL * (state_.nextUsed % state_.size), element));
  ++state_.nextUsed;
  return memory_->storeRelease16(ring + 2, state_.nextUsed);
}

Result<bool> Queue::rearm() {
  if (hasEventIndex()) {
    const GuestAddress availableEvent = GuestAddress{state_.usedRing} + 4 + 8ULL * state_.size;
    TRY(memory_->storeRelease16(availableEvent, state_.nextAvailable));
    // The store must be seen before the index is read again, or a request between the two would ring for nobody.
    std::atomic_thread_fence(std::memory_order_seq_cst);
  }
  const std::uint16_t available = TRY(memory_->loadAcquire16(GuestAddress{state_.availableRing} + 2));
  return available != state_.nextAvailable;
}

Result<bool> Queue::needsInterrupt() {
  const std::uint16_t before = lastSignalled_;
  if (before == state_.nextUsed) return false;
  lastSignalled_ = state_.nextUsed;
  std::atomic_thread_fence(std::memory_order_seq_cst);
  const GuestAddress ring{state_.availableRing};
  if (!hasEventIndex()) return (TRY(memory_->loadAcquire16(ring)) & kNoInterrupt) == 0;
  const std::uint16_t event = TRY(memory_->loadAcquire16(ring + 4 + 2ULL * state_.size));
  // 2.7.7.2: whether the used index passed the driver's event between the last call and this one.
  return static_cast<std::uint16_t>(state_.nextUsed - event - 1) < static_cast<std::uint16_t>(state_.nextUsed - before);
}

namespace {

// Calls `move(address, done, bytes)` for each piece of the buffers behind `offset`, up to `wanted` bytes in all.
template <class Move>
Result<std::size_t> forPieces(std::span<const Buffer> buffers, std::uint64_t offset, std::size_t wanted, Move move) {
  std::size_t done = 0;
  for (const Buffer& buffer : buffers) {
    if (done == wanted) break;
    if (offset >= buffer.bytes) {
      offset -= buffer.bytes;
      continue;
    }
    const std::size_t bytes = std::min<std::uint64_t>(buffer.bytes - offset, wanted - done);
    TRY(move(buffer.address + offset, done, bytes));
    done += bytes;
    offset = 0;
  }
  return done;
}

}  // namespace

Result<std::size_t> copyFrom(const GuestMemory& memory, std::span<const Buffer> buffers, std::uint64_t offset,
                             std::span<std::byte> into) {
  return forPieces(buffers, offset, into.size(), [&](GuestAddress from, std::size_t done, std::size_t bytes) {
    return memory.read(from, into.subspan(done, bytes));
  });
}

Result<std::size_t> copyTo(GuestMemory& memory, std::span<const Buffer> buffers, std::uint64_t offset,
                           std::span<const std::byte> bytes) {
  return forPieces(buffers, offset, bytes.size(), [&](GuestAddress to, std::size_t done, std::size_t count) {
    return memory.write(to, bytes.subspan(done, count));
  });
}

}  // namespace qm::virtio
