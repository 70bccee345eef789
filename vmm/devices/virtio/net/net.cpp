#include "vmm/devices/virtio/net/net.h"

#include <algorithm>

#include "vmm/os/tap.h"
#include "vmm/result/check.h"

namespace qm::virtio {

namespace {

constexpr std::uint64_t kFeatureMac = 1ULL << 5U;
constexpr std::uint16_t kReceiveQueue = 0, kTransmitQueue = 1;  // 5.1.2

// 5.1.6: struct virtio_net_hdr, whose num_buffers (bytes 10 and 11) only received frames use.
constexpr std::size_t kHeaderBytes = 12;
constexpr std::size_t kNumBuffersOffset = 10;
static_assert(kHeaderBytes == kTapHeaderBytes);

constexpr std::size_t kEthernetHeaderBytes = 14;
constexpr std::size_t kLeastBytes = kHeaderBytes + kEthernetHeaderBytes;
// The largest MTU that Linux gives an interface, with its Ethernet header and a VLAN tag.
constexpr std::size_t kMostBytes = kHeaderBytes + kEthernetHeaderBytes + 4 + 65535;
// One byte more than that, so that a frame that was cut is known by its length.
constexpr std::size_t kFrameBufferBytes = kMostBytes + 1;

}  // namespace

Result<std::unique_ptr<Net>> Net::create(EventLoop& loop, FileDescriptor tap, const NetState& state) {
  TRY(setNonBlocking(tap));
  return std::unique_ptr<Net>(new Net(loop, std::move(tap), state));
}

Net::Net(EventLoop& loop, FileDescriptor tap, const NetState& state)
    : loop_(loop),
      tap_(std::move(tap)),
      state_(state),
      frame_(std::make_unique_for_overwrite<std::byte[]>(kFrameBufferBytes)) {}

std::uint64_t Net::features() const {
  return kFeatureMac;
}

void Net::readConfig(std::uint64_t offset, std::span<std::byte> into) const {
  // 5.1.4: the MAC comes first; nothing that we offer needs the rest.
  for (std::size_t i = 0; i < into.size(); ++i)
    into[i] = offset + i < state_.mac.size() ? std::byte{state_.mac[offset + i]} : std::byte{0};
}

Status Net::activate(DeviceHost& host, std::uint64_t /*features*/) {
  CHECK(host_ == nullptr || host_ == &host);
  if (host_ == nullptr) host_ = &host;
  return {};
}

Result<bool> Net::process(std::uint16_t queueIndex) {
  Queue* queue = TRY(host_->queue(queueIndex));
  if (queueIndex == kTransmitQueue) return drain(*queue, [this](const Chain& chain) { return transmit(chain); });
  // A ring for any queue comes by here. The answer of rearm() keeps one for the transmit queue from waking a receiver
  // that has no buffers.
  if (!watched_ && TRY(queue->rearm())) TRY(resumeWatch());
  return false;
}

Status Net::resumeWatch() {
  TRY(loop_.watch(tap_, Ready::readable, [this](Ready) { onTapReadable(); }).during("watching the tap"));
  watched_ = true;
  return {};
}

void Net::suspendWatch() {
  loop_.unwatch(tap_);
  watched_ = false;
}

void Net::onTapReadable() {
  bool active = false;
  host_->enter([&] {
    active = true;
    return receive();
  });
  if (!active) suspendWatch();
}

// At most a queue's length of frames; the watch is level-triggered and comes back for the rest.
Status Net::receive() {
  Queue* queue = TRY(host_->queue(kReceiveQueue));
  for (std::uint16_t count = 0; count < queue->size(); ++count) {
    const std::optional<Chain> chain = TRY(queue->pop());
    if (chain) {
      if (!TRY(receiveInto(*queue, *chain))) return {};
    } else if (!TRY(queue->rearm())) {
      suspendWatch();
      return {};
    }
  }
  return {};
}

// Answers whether there was a frame. The chain goes back unless the frame went into it.
Result<bool> Net::receiveInto(Queue& queue, const Chain& chain) {
  const Result<std::size_t> bytes = readFrame(tap_, {frame_.get(), kFrameBufferBytes});
  if (!bytes.has_value() && bytes.error().remedy() != Remedy::retry)
    return Error(bytes.error()).during("the tap is gone");
  if (bytes.has_value() && *bytes == 0) return Error(Remedy::giveUp, "the tap is gone: its other end was closed");
  const bool arrived = bytes.has_value();
  const bool wellFormed = arrived && *bytes >= kLeastBytes && *bytes <= kMostBytes;
  const bool fits = wellFormed && *bytes <= chain.writableBytes();
  if (!fits) {
    queue.undoPop();
    if (arrived) count(wellFormed ? counters_.tooLargeForGuest : counters_.malformedFromHost);
    return arrived;
  }
  // 5.1.6.4.1: with no offload agreed on all fields are 0, but num_buffers is 1.
  std::fill_n(frame_.get(), kHeaderBytes, std::byte{0});
  frame_[kNumBuffersOffset] = std::byte{1};
  TRY(copyTo(host_->memory(), chain.writable, 0, {frame_.get(), *bytes}));
  TRY(queue.complete(chain.head, static_cast<std::uint32_t>(*bytes)));
  count(counters_.framesToGuest);
  count(counters_.bytesToGuest, *bytes - kHeaderBytes);
  return true;
}

Result<std::uint32_t> Net::transmit(const Chain& chain) {
  const std::uint64_t bytes = chain.readableBytes();
  if (bytes < kLeastBytes || bytes > kMostBytes) {
    count(counters_.malformedFromGuest);
    return 0;
  }
  TRY(copyFrom(host_->memory(), chain.readable, 0, {frame_.get(), bytes}));
  // The guest's header would ask the host's kernel for offloads, of which none was agreed on: it goes no further.
  std::fill_n(frame_.get(), kHeaderBytes, std::byte{0});
  if (!writeFrame(tap_, {frame_.get(), bytes}).has_value()) {
    count(counters_.refusedByHost);
    return 0;
  }
  count(counters_.framesFromGuest);
  count(counters_.bytesFromGuest, bytes - kHeaderBytes);
  return 0;
}

}  // namespace qm::virtio
