#include "vmm/devices/virtio/fake_driver.h"

#include "vmm/result/check.h"

namespace qm::virtio {

namespace {

constexpr std::uint16_t kNext = 1, kWrite = 2, kIndirect = 4;

std::uint32_t low(GuestAddress address) {
  return static_cast<std::uint32_t>(address.value);
}
std::uint32_t high(GuestAddress address) {
  return static_cast<std::uint32_t>(address.value >> 32U);
}

}  // namespace

FakeQueueLayout fakeQueueLayout(std::uint16_t queue) {
  const GuestAddress base{0x10'0000ULL + 0x1'0000ULL * queue};
  return {base, base + 0x4000, base + 0x8000};
}

void FakeDriver::start(std::uint16_t size, std::uint64_t without) {
  negotiate(without);
  queueSize_ = size;
  for (std::uint16_t queue = 0; queue < transport_->queueCount(); ++queue)
    setUpQueue(queue, size, fakeQueueLayout(queue));
  setDriverOk();
}

void FakeDriver::negotiate(std::uint64_t without) {
  writeRegister(0x70, 1);
  writeRegister(0x70, 3);
  for (std::uint32_t half = 0; half < 2; ++half) {
    writeRegister(0x14, half);
    writeRegister(0x24, half);
    writeRegister(0x20, readRegister(0x10) & ~static_cast<std::uint32_t>(without >> (32 * half)));
  }
  writeRegister(0x70, 0xb);
}

void FakeDriver::setUpQueue(std::uint16_t queue, std::uint16_t size, const FakeQueueLayout& layout) {
  writeRegister(0x30, queue);
  writeRegister(0x38, size);
  writeRegister(0x80, low(layout.descriptors));
  writeRegister(0x84, high(layout.descriptors));
  writeRegister(0x90, low(layout.available));
  writeRegister(0x94, high(layout.available));
  writeRegister(0xa0, low(layout.used));
  writeRegister(0xa4, high(layout.used));
  writeRegister(0x44, 1);
}

GuestAddress FakeDriver::allocate(std::uint64_t bytes) {
  const GuestAddress at{nextFree_};
  nextFree_ += (bytes + 15) & ~std::uint64_t{15};
  return at;
}

FakeDriver::Chain& FakeDriver::Chain::add(std::uint64_t address, std::uint32_t bytes, std::uint16_t flags) {
  descriptors_.push_back({address, bytes, flags, 0});
  return *this;
}

FakeDriver::Chain& FakeDriver::Chain::readable(std::span<const std::byte> bytes) {
  const GuestAddress at = driver_.allocate(bytes.size());
  CHECK(driver_.memory_->write(at, bytes).has_value());
  return add(at.value, static_cast<std::uint32_t>(bytes.size()), 0);
}

FakeDriver::Chain& FakeDriver::Chain::writable(std::uint32_t bytes) {
  return add(driver_.allocate(bytes).value, bytes, kWrite);
}

std::uint16_t FakeDriver::Chain::offer() {
  std::uint16_t& next = driver_.nextDescriptor_[queue_];
  const auto size = driver_.queueSize_;
  const auto head = static_cast<std::uint16_t>(next % size);
  for (std::size_t i = 0; i < descriptors_.size(); ++i) {
    const Descriptor& from = descriptors_[i];
    const bool last = i + 1 == descriptors_.size();
    const auto index = static_cast<std::uint16_t>(next % size);
    ++next;
    driver_.writeDescriptor(queue_, index, from.address, from.bytes,
                            static_cast<std::uint16_t>(from.flags | (last ? 0 : kNext)),
                            static_cast<std::uint16_t>(next % size));
  }
  driver_.offerHead(queue_, head);
  return head;
}

std::uint16_t FakeDriver::Chain::offerIndirect() {
  const GuestAddress table = driver_.allocate(16 * descriptors_.size());
  for (std::size_t i = 0; i < descriptors_.size(); ++i) {
    Descriptor descriptor = descriptors_[i];
    descriptor.next = static_cast<std::uint16_t>(i + 1);
    if (i + 1 < descriptors_.size()) descriptor.flags |= kNext;
    CHECK(driver_.memory_->writeObject(table + 16 * i, descriptor).has_value());
  }
  const auto bytes = static_cast<std::uint32_t>(16 * descriptors_.size());
  descriptors_ = {{table.value, bytes, kIndirect, 0}};
  return offer();
}

void FakeDriver::writeDescriptor(std::uint16_t queue, std::uint16_t index, std::uint64_t address, std::uint32_t bytes,
                                 std::uint16_t flags, std::uint16_t next) {
  struct {
    std::uint64_t address;
    std::uint32_t bytes;
    std::uint16_t flags, next;
  } const descriptor{address, bytes, flags, next};
  CHECK(memory_->writeObject(fakeQueueLayout(queue).descriptors + 16ULL * index, descriptor).has_value());
}

void FakeDriver::offerHead(std::uint16_t queue, std::uint16_t head) {
  const GuestAddress ring = fakeQueueLayout(queue).available;
  CHECK(memory_->writeObject(ring + 4 + 2ULL * (available_[queue] % queueSize_), head).has_value());
  CHECK(memory_->storeRelease16(ring + 2, ++available_[queue]).has_value());
}

void FakeDriver::ring(std::uint16_t queue) {
  writeRegister(0x50, queue);
  transport_->serviceDoorbell();
}

std::optional<std::pair<std::uint32_t, std::uint32_t>> FakeDriver::takeUsed(std::uint16_t queue) {
  const GuestAddress ring = fakeQueueLayout(queue).used;
  if (memory_->loadAcquire16(ring + 2).value() == used_[queue]) return std::nullopt;
  const GuestAddress element = ring + 4 + 8ULL * (used_[queue]++ % queueSize_);
  return std::pair(memory_->readObject<std::uint32_t>(element).value(),
                   memory_->readObject<std::uint32_t>(element + 4).value());
}

std::vector<std::byte> FakeDriver::readBytes(GuestAddress from, std::size_t bytes) {
  std::vector<std::byte> read(bytes);
  CHECK(memory_->read(from, read).has_value());
  return read;
}

}  // namespace qm::virtio
