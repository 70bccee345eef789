#include "tests/fuzz/hostile_driver.h"

#include <array>
#include <cstring>
#include <vector>

#include "vmm/result/check.h"

namespace qm::fuzz {

namespace {

using namespace qm::virtio;

constexpr std::uint16_t kNext = 1;
constexpr int kMostSteps = 300;

// Where start() puts a queue's parts; what lies behind the queues is for buffers.
constexpr std::uint64_t queueBase(std::uint64_t queue) {
  return 0x4000 * (queue % 4);
}
constexpr std::uint64_t kAvailable = 0x1000, kUsed = 0x2000;

// Mostly RAM, rings included, sometimes anything.
std::uint64_t address(Input& input) {
  const std::uint8_t shape = input.byte();
  if (shape == 0xff) return input.number<std::uint64_t>();
  return (std::uint64_t{input.number<std::uint16_t>()} << 2U) | (shape == 0xfe ? 3U : 0U);
}

std::uint32_t length(Input& input) {
  const std::uint8_t shape = input.byte();
  if (shape == 0xff) return input.number<std::uint32_t>();
  return static_cast<std::uint32_t>(shape % 16) << (shape / 16);
}

struct Descriptor {
  std::uint64_t address;
  std::uint32_t bytes;
  std::uint16_t flags, next;
};

// The dirty bitmap's promise: what a device changed is marked.
class ChangeChecker {
 public:
  explicit ChangeChecker(GuestMemory& memory) : memory_(memory), before_(memory.bytes()) {
    CHECK(memory_.read(GuestAddress{0}, before_).has_value());
    (void)memory_.takeDeviceDirty();
  }
  void check() const {
    const std::span<const std::byte> now = memory_.regions().front().host;
    const std::vector<std::uint64_t> dirty = memory_.takeDeviceDirty().front();
    for (std::size_t page = 0; page < before_.size() / kGuestPageBytes; ++page) {
      const bool changed =
          std::memcmp(&now[page * kGuestPageBytes], &before_[page * kGuestPageBytes], kGuestPageBytes) != 0;
      CHECK(!changed || (dirty[page / 64] >> (page % 64) & 1U) != 0);
    }
  }

 private:
  GuestMemory& memory_;
  std::vector<std::byte> before_;
};

}  // namespace

HostileDriver::HostileDriver(MakeDevice makeDevice)
    : makeDevice_(std::move(makeDevice)), transport_(MmioTransport::create(makeDevice_(nullptr), wiring()).value()) {}

void HostileDriver::run(Input& input, const std::function<void(Input&)>& deviceStep) {
  for (int steps = 0; steps < kMostSteps && !input.isEmpty(); ++steps) {
    step(input);
    deviceStep(input);
  }
}

void HostileDriver::step(Input& input) {
  switch (input.byte() % 8) {
    case 0:
      return start(input);
    case 1:
      return accessAnywhere(input);
    case 2:
      return writeMemory(input);
    case 3:
    case 4:
    case 5:
      return offerChain(input);
    case 6:
      return ring(input);
    default:
      return saveAndRestore(input);
  }
}

// 3.1.1, bar what the input declines or bends.
void HostileDriver::start(Input& input) {
  const std::uint8_t shape = input.byte();
  if ((shape & 1) == 0) writeRegister(0x70, 0);
  writeRegister(0x70, 3);
  for (std::uint32_t half = 0; half < 2; ++half) {
    writeRegister(0x14, half);
    writeRegister(0x24, half);
    const std::uint32_t declined = (shape & 2) != 0 ? input.number<std::uint32_t>() : 0;
    writeRegister(0x20, static_cast<std::uint32_t>(transport_->read(0x10, 4)) & ~declined);
  }
  writeRegister(0x70, 0xb);
  for (std::uint16_t queue = 0; queue < transport_->queueCount(); ++queue) {
    const std::uint64_t base = (shape & 4) != 0 ? address(input) : queueBase(queue);
    writeRegister(0x30, queue);
    writeRegister(0x38, 1U << (input.byte() % 10));
    writeRegister(0x80, static_cast<std::uint32_t>(base));
    writeRegister(0x84, static_cast<std::uint32_t>(base >> 32U));
    writeRegister(0x90, static_cast<std::uint32_t>(base + kAvailable));
    writeRegister(0xa0, static_cast<std::uint32_t>(base + kUsed));
    writeRegister(0x44, 1);
  }
  writeRegister(0x70, 0xf);
}

void HostileDriver::accessAnywhere(Input& input) {
  const std::uint8_t shape = input.byte();
  const std::uint64_t offset = (shape & 1) != 0 ? input.number<std::uint16_t>() % kMmioBytes : input.byte() % 64 * 4ULL;
  const auto bytes = static_cast<std::uint8_t>((shape & 2) != 0 ? 1U << (shape / 4 % 4) : 4);
  if ((shape & 64) != 0) {
    (void)transport_->read(offset, bytes);
  } else {
    transport_->write(offset, bytes, (shape & 128) != 0 ? input.number<std::uint64_t>() : input.byte());
  }
}

void HostileDriver::writeMemory(Input& input) {
  const std::uint64_t at = address(input);
  (void)memory_.write(GuestAddress{at}, input.take(input.byte()));
}

// Descriptors from an index on, each linked to the next, the first of them offered.
void HostileDriver::offerChain(Input& input) {
  const std::uint64_t base = queueBase(input.byte());
  const std::uint8_t shape = input.byte();
  auto index = static_cast<std::uint16_t>(shape / 4);
  const std::uint16_t head = index;
  const int count = 1 + shape % 4;
  for (int i = 0; i < count; ++i) {
    const std::uint8_t flags = input.byte();
    Descriptor descriptor{
        .address = address(input), .bytes = length(input), .flags = static_cast<std::uint16_t>(flags % 8), .next = 0};
    if (i + 1 < count) descriptor.flags |= kNext;
    descriptor.next = (flags & 64) != 0 ? input.byte() : static_cast<std::uint16_t>(index + 1);
    CHECK(memory_.writeObject(GuestAddress{base + sizeof descriptor * (index % 256U)}, descriptor).has_value());
    ++index;
  }
  const GuestAddress available{base + kAvailable};
  const auto next = memory_.readObject<std::uint16_t>(available + 2).value();
  // The ring's slot depends on the queue's size, which start() chose: all the sizes' slots get it.
  for (std::uint64_t size = 1; size <= 256; size *= 2)
    CHECK(memory_.writeObject(available + 4 + 2 * (next % size), head).has_value());
  CHECK(memory_.writeObject(available + 2, static_cast<std::uint16_t>(next + 1)).has_value());
}

void HostileDriver::ring(Input& input) {
  writeRegister(kQueueNotifyOffset, input.byte());
  const ChangeChecker changes(memory_);
  transport_->serviceDoorbell();
  changes.check();
}

// A machine that was saved and restored is the same; one whose saved state was bent is refused, or works.
void HostileDriver::saveAndRestore(Input& input) {
  TransportState state = transport_->save();
  const DeviceState device = transport_->saveDevice();
  const bool bent = input.byte() % 4 == 0;
  if (bent) {
    QueueState& queue = state.queues[input.byte() % state.queues.size()];
    queue.size = input.number<std::uint16_t>();
    queue.availableRing = address(input);
    queue.nextAvailable = input.number<std::uint16_t>();
    queue.nextUsed = input.number<std::uint16_t>();
    state.status = input.byte();
  }
  auto restored = MmioTransport::restore(makeDevice_(&device), wiring(), state);
  CHECK(bent || restored.has_value());
  if (!restored.has_value()) return;
  CHECK((*restored)->save() == state && (*restored)->saveDevice() == device);
  transport_ = std::move(*restored);
  transport_->kick();
}

}  // namespace qm::fuzz
