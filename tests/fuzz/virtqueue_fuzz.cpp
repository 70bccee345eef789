// A split virtqueue over guest memory that is all the fuzzer's: whatever the rings say, a chain that comes out of it
// keeps the rules on which devices rely.
#include <array>

#include "tests/fuzz/fuzz_input.h"
#include "vmm/devices/virtio/queue/queue.h"
#include "vmm/result/check.h"

namespace {

using namespace qm;
using namespace qm::virtio;

constexpr std::uint64_t kMemoryBytes = 16 * 1024;
constexpr std::uint16_t kLargest = 64;

void checkChain(const GuestMemory& memory, const Queue& queue, const Chain& chain) {
  CHECK(chain.head < queue.size());
  CHECK(chain.readable.size() + chain.writable.size() <= queue.size());
  for (const auto* buffers : {&chain.readable, &chain.writable}) {
    for (const Buffer& buffer : *buffers) CHECK(memory.hostRange(buffer.address, buffer.bytes).has_value());
  }
}

// One request as a device handles it; false: the queue is empty or broken.
bool serve(GuestMemory& memory, Queue& queue, fuzz::Input& input) {
  auto first = queue.pop();
  if (!first.has_value() || !first->has_value()) return false;
  queue.undoPop();
  const Chain chain = queue.pop().value().value();
  CHECK(chain.head == (*first)->head && chain.readable == (*first)->readable && chain.writable == (*first)->writable);
  checkChain(memory, queue, chain);

  std::array<std::byte, 256> bytes{};
  const std::uint64_t offset = input.byte();
  const std::uint64_t there = chain.readableBytes();
  const std::size_t read = copyFrom(memory, chain.readable, offset, bytes).value();
  CHECK(read == std::min<std::uint64_t>(bytes.size(), there - std::min(there, offset)));
  const std::uint64_t room = chain.writableBytes();
  const std::size_t written = copyTo(memory, chain.writable, offset, bytes).value();
  CHECK(written == std::min<std::uint64_t>(bytes.size(), room - std::min(room, offset)));

  const std::uint16_t used = queue.save().nextUsed;
  CHECK(queue.complete(chain.head, static_cast<std::uint32_t>(written)).has_value());
  CHECK(queue.save().nextUsed == static_cast<std::uint16_t>(used + 1));
  return true;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  fuzz::Input input(data, size);
  GuestMemory memory = GuestMemory::anonymous(kMemoryBytes).value();
  const std::uint8_t shape = input.byte();
  QueueState state{.size = static_cast<std::uint16_t>(1U << (shape % 8)),
                   .ready = true,
                   .descriptorTable = (shape & 8) != 0 ? input.number<std::uint64_t>() : 0,
                   .availableRing = (shape & 16) != 0 ? input.number<std::uint16_t>() : 0x400U,
                   .usedRing = (shape & 32) != 0 ? input.number<std::uint16_t>() : 0x800U,
                   .nextAvailable = (shape & 64) != 0 ? input.number<std::uint16_t>() : std::uint16_t{0},
                   .nextUsed = (shape & 64) != 0 ? input.number<std::uint16_t>() : std::uint16_t{0}};
  const std::uint64_t features = (shape & 128) != 0 ? kFeatureIndirect | kFeatureEventIndex : 0;
  auto queue = Queue::create(memory, state, features, kLargest);
  if (!queue.has_value()) return 0;
  // The guest writes, the device serves, in turns.
  for (int turn = 0; turn < 32 && !input.isEmpty(); ++turn) {
    const GuestAddress at{std::uint64_t{input.number<std::uint16_t>()} % kMemoryBytes};
    (void)memory.write(at, input.take(input.byte()));
    for (int count = 0; count < 2 * kLargest; ++count) {
      if (!serve(memory, *queue, input)) break;
    }
    (void)queue->rearm();
    (void)queue->needsInterrupt();
  }
  return 0;
}
