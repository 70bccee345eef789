#include "vmm/devices/virtio/vsock/vsock_device.h"

#include <algorithm>
#include <cstring>
#include <utility>

namespace qm::vsock {

Result<std::unique_ptr<VsockDevice>> VsockDevice::create(EventLoop& loop, const MuxerConfig& config,
                                                         const virtio::VsockState& state) {
  std::unique_ptr<VsockDevice> device(new VsockDevice(loop, state));
  device->muxer_ = TRY(Muxer::create(loop, config, state, *device, device->counters_));
  return device;
}

void VsockDevice::readConfig(std::uint64_t offset, std::span<std::byte> into) const {
  // 5.10.4: guest_cid, little-endian.
  const auto cid = std::as_bytes(std::span(&fresh_.guestCid, 1));
  for (std::size_t i = 0; i < into.size(); ++i)
    into[i] = offset + i < cid.size() ? cid[static_cast<std::size_t>(offset) + i] : std::byte{0};
}

Status VsockDevice::activate(virtio::DeviceHost& host, std::uint64_t /*features*/) {
  host_ = &host;
  return {};
}

VsockDevice::~VsockDevice() {
  loop_.cancel(nextTurn_);
}

// The connections' host sides are to hear of it soon, even if the driver never comes back.
void VsockDevice::reset() {
  resetIsDue_ = true;
  loop_.post([self = std::weak_ptr(self_)] {
    if (const auto device = self.lock()) (*device)->catchUpWithReset();
  });
}

void VsockDevice::catchUpWithReset() {
  if (resetIsDue_.exchange(false)) muxer_->reset();
}

Result<bool> VsockDevice::process(std::uint16_t queueIndex) {
  catchUpWithReset();
  failure_ = {};
  inside_ = true;
  Result<bool> more = false;
  if (queueIndex == kReceive) muxer_->pump();
  if (queueIndex == kTransmit) more = takePackets();
  inside_ = false;
  TRY(std::exchange(failure_, {}));
  return more;
}

Result<bool> VsockDevice::takePackets() {
  virtio::Queue* queue = TRY(host_.load()->queue(kTransmit));
  bool more = true;
  for (std::uint16_t count = 0; more && count < queue->size() && muxer_->takesPackets(); ++count) {
    const std::optional<virtio::Chain> chain = TRY(queue->pop());
    if (chain)
      TRY(takePacket(*queue, *chain));
    else
      more = TRY(queue->rearm());
  }
  muxer_->pump();
  // Where the muxer takes no more, the guest's next receive buffers bring us here again.
  return more && muxer_->takesPackets();
}

Status VsockDevice::takePacket(virtio::Queue& queue, const virtio::Chain& chain) {
  std::array<std::byte, kHeaderBytes> bytes{};
  const GuestMemory& memory = host_.load()->memory();
  if (TRY(virtio::copyFrom(memory, chain.readable, 0, bytes)) < bytes.size())
    return Error(Remedy::fixInput, "the driver sent a packet that is shorter than its header");
  const Header header = decodeHeader(bytes);
  const auto most = std::span(payload_).first(std::min<std::size_t>(header.length, payload_.size()));
  const std::size_t came = TRY(virtio::copyFrom(memory, chain.readable, kHeaderBytes, most));
  TRY(queue.complete(chain.head, 0));
  muxer_->receive(header, most.first(came));
  return {};
}

// Runs `work` (() → Status) with the queues in reach, or not at all when the device is not active.
template <class Work>
void VsockDevice::withQueues(Work work) {
  if (inside_) {
    if (Status done = work(); !done.has_value() && failure_.has_value()) failure_ = std::move(done);
    return;
  }
  if (virtio::DeviceHost* host = host_.load(); host != nullptr && !resetIsDue_) host->enter(work);
}

std::optional<std::size_t> VsockDevice::room() {
  std::optional<std::size_t> found;
  withQueues([this, &found]() -> Status {
    found = TRY(nextRoom());
    return {};
  });
  return found;
}

Result<std::optional<std::size_t>> VsockDevice::nextRoom() {
  if (!failure_.has_value()) return std::nullopt;
  virtio::Queue* queue = TRY(host_.load()->queue(kReceive));
  do {
    if (const std::optional<virtio::Chain> chain = TRY(queue->pop())) {
      queue->undoPop();  // deliver() takes it, if there is something to deliver
      const std::uint64_t bytes = chain->writableBytes();
      if (bytes < kHeaderBytes)
        return Error(Remedy::fixInput, "the driver gave a receive buffer that no packet's header fits");
      return std::optional(static_cast<std::size_t>(bytes - kHeaderBytes));
    }
  } while (TRY(queue->rearm()));
  return std::nullopt;
}

void VsockDevice::deliver(const Header& header, std::span<const std::byte> payload) {
  withQueues([&]() { return put(header, payload); });
}

Status VsockDevice::put(const Header& header, std::span<const std::byte> payload) {
  virtio::Queue* queue = TRY(host_.load()->queue(kReceive));
  const std::optional<virtio::Chain> chain = TRY(queue->pop());
  // The driver may have taken its buffers back by a reset since room() saw them; the packet is lost with its
  // connection.
  if (!chain) return {};
  GuestMemory& memory = host_.load()->memory();
  const std::size_t head = TRY(virtio::copyTo(memory, chain->writable, 0, encodeHeader(header)));
  const std::size_t body = TRY(virtio::copyTo(memory, chain->writable, kHeaderBytes, payload));
  return queue->complete(chain->head, static_cast<std::uint32_t>(head + body));
}

void VsockDevice::onNextTurn() {
  virtio::DeviceHost* host = host_.load();
  if (host == nullptr) return;
  host->enter([this]() -> Status {
    // Nobody rang, but the driver may have packets that waited for the muxer.
    const bool more = TRY(process(kTransmit));
    if (more && nextTurn_ == 0) {
      nextTurn_ = loop_.at(std::chrono::steady_clock::now(), [this] {
        nextTurn_ = 0;
        onNextTurn();
      });
    }
    return {};
  });
}

virtio::DeviceState VsockDevice::save() const {
  // A driver that reset the device knows of no connection any more.
  return resetIsDue_ ? fresh_ : muxer_->save();
}

}  // namespace qm::vsock
