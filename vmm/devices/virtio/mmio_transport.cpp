#include "vmm/devices/virtio/mmio_transport.h"

#include <bit>
#include <cstring>

#include <fmt/format.h>

namespace qm::virtio {

namespace {

// Table 4.1.
enum Register : std::uint64_t {
  kMagic = 0x00,
  kVersion = 0x04,
  kDeviceId = 0x08,
  kVendorId = 0x0c,
  kDeviceFeatures = 0x10,
  kDeviceFeaturesSelect = 0x14,
  kDriverFeatures = 0x20,
  kDriverFeaturesSelect = 0x24,
  kQueueSelect = 0x30,
  kQueueSizeMax = 0x34,
  kQueueSize = 0x38,
  kQueueReady = 0x44,
  kQueueNotify = kQueueNotifyOffset,
  kInterruptStatus = 0x60,
  kInterruptAcknowledge = 0x64,
  kStatus = 0x70,
  kQueueDescriptorLow = 0x80,
  kQueueDescriptorHigh = 0x84,
  kQueueDriverLow = 0x90,
  kQueueDriverHigh = 0x94,
  kQueueDeviceLow = 0xa0,
  kQueueDeviceHigh = 0xa4,
  kSharedMemoryLengthLow = 0xb0,
  kSharedMemoryBaseHigh = 0xbc,
  kConfigGeneration = 0xfc,
  kConfig = 0x100,
};

constexpr std::uint32_t kMagicValue = 0x7472'6976;  // "virt"
constexpr std::uint32_t kVendor = 0x6b6d'7571;      // "qumk"

// 2.1.
constexpr std::uint32_t kFeaturesOk = 8, kDriverOk = 4, kNeedsReset = 0x40, kFailed = 0x80;
constexpr std::uint32_t kUsedBuffer = 1, kConfigChange = 2;

void setLow(std::uint64_t& whole, std::uint32_t value) {
  whole = (whole & 0xffff'ffff'0000'0000ULL) | value;
}
void setHigh(std::uint64_t& whole, std::uint32_t value) {
  whole = (whole & 0xffff'ffffULL) | std::uint64_t{value} << 32U;
}

}  // namespace

MmioTransport::MmioTransport(std::unique_ptr<Device> device, TransportWiring wiring, Eventfd doorbell)
    : device_(std::move(device)),
      wiring_(std::move(wiring)),
      doorbell_(std::move(doorbell)),
      queueSizes_(device_->queueSizes()),
      queues_(queueSizes_.size()) {
  state_.queues.resize(queueSizes_.size());
}

Result<std::unique_ptr<MmioTransport>> MmioTransport::create(std::unique_ptr<Device> device, TransportWiring wiring) {
  Eventfd doorbell = TRY(Eventfd::create());
  return std::unique_ptr<MmioTransport>(new MmioTransport(std::move(device), std::move(wiring), std::move(doorbell)));
}

Result<std::unique_ptr<MmioTransport>> MmioTransport::restore(std::unique_ptr<Device> device, TransportWiring wiring,
                                                              const TransportState& state) {
  const std::string id = wiring.id;
  std::unique_ptr<MmioTransport> transport = TRY(create(std::move(device), std::move(wiring)));
  // Before FEATURES_OK the register holds what the driver asks for, which may be anything.
  const bool activates = (state.status & kDriverOk) != 0 && (state.status & (kNeedsReset | kFailed)) == 0;
  const bool agreed = activates || (state.status & kFeaturesOk) != 0;
  const std::uint64_t unknown = agreed ? state.driverFeatures & ~transport->offeredFeatures() : 0;
  if (state.queues.size() != transport->queueSizes_.size() || unknown != 0) {
    return Error(
        Remedy::fixInput,
        fmt::format(
            "the saved state of device {} has {} queues and features {:#x}; the device has {} and lacks {:#x} of them",
            id, state.queues.size(), state.driverFeatures, transport->queueSizes_.size(), unknown));
  }
  const std::lock_guard lock(transport->mutex_);
  transport->state_ = state;
  if (activates) TRY(transport->activate().during(fmt::format("restoring device {}", id)));
  transport->wiring_.interrupt.set(state.interruptStatus != 0);
  return transport;
}

std::uint64_t MmioTransport::offeredFeatures() const {
  return device_->features() | kFeatureVersion1 | kFeatureIndirect | kFeatureEventIndex;
}

std::uint64_t MmioTransport::read(std::uint64_t offset, std::uint8_t bytes) {
  const std::lock_guard lock(mutex_);
  if (offset >= kConfig) {
    std::uint64_t value = 0;
    device_->readConfig(offset - kConfig, std::as_writable_bytes(std::span(&value, 1)).first(bytes));
    return value;
  }
  // 4.2.2.2: the driver reads these registers by 32 bits, aligned.
  return bytes == 4 && offset % 4 == 0 ? readRegister(offset) : 0;
}

void MmioTransport::write(std::uint64_t offset, std::uint8_t bytes, std::uint64_t value) {
  // Without the lock: rings may be many, and the eventfd needs none.
  if (offset == kQueueNotify) return doorbell_.signal();
  const std::lock_guard lock(mutex_);
  if (offset >= kConfig)
    return device_->writeConfig(offset - kConfig, std::as_bytes(std::span(&value, 1)).first(bytes));
  if (bytes == 4 && offset % 4 == 0) writeRegister(offset, static_cast<std::uint32_t>(value));
}

std::uint32_t MmioTransport::readRegister(std::uint64_t offset) const {
  const bool isQueue = state_.queueSelect < state_.queues.size();
  switch (offset) {
    case kMagic:
      return kMagicValue;
    case kVersion:
      return 2;
    case kDeviceId:
      return static_cast<std::uint32_t>(device_->kind());
    case kVendorId:
      return kVendor;
    case kDeviceFeatures:
      return state_.deviceFeaturesSelect < 2
                 ? static_cast<std::uint32_t>(offeredFeatures() >> (32 * state_.deviceFeaturesSelect))
                 : 0;
    case kQueueSizeMax:
      return isQueue ? queueSizes_[state_.queueSelect] : 0;
    case kQueueReady:
      return isQueue && state_.queues[state_.queueSelect].ready ? 1 : 0;
    case kInterruptStatus:
      return state_.interruptStatus;
    case kStatus:
      return state_.status;
    case kConfigGeneration:
      return state_.configGeneration;
    default:
      return offset >= kSharedMemoryLengthLow && offset <= kSharedMemoryBaseHigh ? ~std::uint32_t{0} : 0;
  }
}

void MmioTransport::writeRegister(std::uint64_t offset, std::uint32_t value) {
  switch (offset) {
    case kDeviceFeaturesSelect:
      state_.deviceFeaturesSelect = value;
      break;
    case kDriverFeaturesSelect:
      state_.driverFeaturesSelect = value;
      break;
    case kDriverFeatures:
      if ((state_.status & kFeaturesOk) != 0) break;  // 2.2.1: no more changes after FEATURES_OK
      if (state_.driverFeaturesSelect == 0) setLow(state_.driverFeatures, value);
      if (state_.driverFeaturesSelect == 1) setHigh(state_.driverFeatures, value);
      break;
    case kQueueSelect:
      state_.queueSelect = value;
      break;
    case kInterruptAcknowledge:
      state_.interruptStatus &= ~value;
      wiring_.interrupt.set(state_.interruptStatus != 0);
      break;
    case kStatus:
      writeStatus(value);
      break;
    default:
      writeQueueRegister(offset, value);
  }
}

void MmioTransport::writeQueueRegister(std::uint64_t offset, std::uint32_t value) {
  if (state_.queueSelect >= state_.queues.size() || active_) return;
  QueueState& queue = state_.queues[state_.queueSelect];
  switch (offset) {
    case kQueueSize:
      queue.size = value <= 0xffff ? static_cast<std::uint16_t>(value) : 0;
      break;
    case kQueueReady:
      queue.ready = value == 1;
      break;
    case kQueueDescriptorLow:
      return setLow(queue.descriptorTable, value);
    case kQueueDescriptorHigh:
      return setHigh(queue.descriptorTable, value);
    case kQueueDriverLow:
      return setLow(queue.availableRing, value);
    case kQueueDriverHigh:
      return setHigh(queue.availableRing, value);
    case kQueueDeviceLow:
      return setLow(queue.usedRing, value);
    case kQueueDeviceHigh:
      return setHigh(queue.usedRing, value);
    default:
      break;
  }
}

void MmioTransport::writeStatus(std::uint32_t value) {
  if (value == 0) return reset();
  const std::uint32_t added = value & ~state_.status;
  if ((added & kFeaturesOk) != 0) {
    const bool acceptable =
        (state_.driverFeatures & ~offeredFeatures()) == 0 && (state_.driverFeatures & kFeatureVersion1) != 0;
    if (!acceptable) value &= ~kFeaturesOk;  // 3.1.1, step 6: the driver reads it back
  }
  // 2.1.1: no driver clears a bit. One that tries cannot go back behind FEATURES_OK, nor get out of NEEDS_RESET without
  // a reset.
  state_.status |= value;
  if ((added & kDriverOk) == 0 || active_) return;
  if ((state_.status & kFeaturesOk) == 0)
    return fail(Error(Remedy::fixInput, "the driver skipped feature negotiation"));
  if (Status activated = activate(); !activated.has_value()) return fail(activated.error());
  doorbell_.signal();  // requests that came before
}

Status MmioTransport::activate() {
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    queues_[i].reset();
    if (state_.queues[i].ready)
      queues_[i] = TRY(Queue::create(wiring_.memory, state_.queues[i], state_.driverFeatures, queueSizes_[i])
                           .during(fmt::format("queue {}", i)));
  }
  active_ = true;
  return device_->activate(*this, state_.driverFeatures);
}

void MmioTransport::reset() {
  if (active_) device_->reset();
  active_ = false;
  for (auto& queue : queues_) queue.reset();
  const std::uint32_t generation = state_.configGeneration;
  state_ = TransportState{.configGeneration = generation};
  state_.queues.resize(queueSizes_.size());
  wiring_.interrupt.set(false);
}

Result<Queue*> MmioTransport::queue(std::uint16_t index) {
  if (index >= queues_.size() || !queues_[index])
    return Error(Remedy::fixInput, fmt::format("the driver did not set up queue {}", index));
  return &*queues_[index];
}

bool MmioTransport::serviceDoorbell() {
  bool more = false;
  doorbell_.take();
  enter([&] { return processAll(more); });
  return more;
}

Status MmioTransport::processAll(bool& more) {
  const auto queues = static_cast<std::uint16_t>(queues_.size());  // the device's own choice, at most a few
  for (std::uint16_t index = 0; index < queues; ++index) {
    if (queues_[index]) more |= TRY(device_->process(index));
  }
  if (more) doorbell_.signal();
  return {};
}

void MmioTransport::enter(const std::function<Status()>& work) {
  const std::lock_guard lock(mutex_);
  if (!active_) return;
  Status done = work();
  if (done.has_value()) done = interruptForCompleted();
  if (!done.has_value()) fail(done.error());
}

Status MmioTransport::interruptForCompleted() {
  bool wanted = false;
  for (auto& queue : queues_) {
    if (queue) wanted |= TRY(queue->needsInterrupt());
  }
  if (wanted) raise(kUsedBuffer);
  return {};
}

void MmioTransport::raise(std::uint32_t bits) {
  state_.interruptStatus |= bits;
  wiring_.interrupt.set(true);
}

void MmioTransport::configChanged() {
  ++state_.configGeneration;
  raise(kConfigChange);
}

void MmioTransport::fail(const Error& error) {
  const std::uint64_t times = failures_.fetch_add(1, std::memory_order_relaxed) + 1;
  // How often is the guest's choice, and a log is not to be filled by it: after the first, each line stands for twice
  // as many.
  if (std::has_single_bit(times))
    wiring_.log.warning("virtio.failed", {{"device", wiring_.id}, {"reason", error.text()}, {"times", times}});
  if (active_) device_->reset();
  active_ = false;
  for (auto& queue : queues_) queue.reset();
  state_.status |= kNeedsReset;
  configChanged();
}

TransportState MmioTransport::save() const {
  const std::lock_guard lock(mutex_);
  TransportState state = state_;
  for (std::size_t i = 0; i < queues_.size(); ++i) {
    if (queues_[i]) state.queues[i] = queues_[i]->save();
  }
  return state;
}

DeviceState MmioTransport::saveDevice() const {
  const std::lock_guard lock(mutex_);
  return device_->save();
}

}  // namespace qm::virtio
