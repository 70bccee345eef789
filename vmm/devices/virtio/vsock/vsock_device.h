// virtio-vsock (virtio 1.2, 5.10): the muxer behind virtqueues.
// Modelled: stream sockets over the receive and transmit queues, credit, half-close, one guest CID, refusal of what
//   nobody listens to.
// Not modelled: SOCK_SEQPACKET (not offered), connections between guests, events: the event queue's buffers are taken
//   and never used, since after a restore each connection but the agent's gets its own RST. A TRANSPORT_RESET would end
//   the agent's too.
//
// Threads: the muxer is the loop's alone. The driver's reset comes from a vCPU's thread: it leaves a mark, which the
// loop finds before it does anything else for the device.
#pragma once

#include <array>
#include <atomic>
#include <memory>

#include "vmm/devices/virtio/device.h"
#include "vmm/devices/virtio/vsock/counters.h"
#include "vmm/devices/virtio/vsock/guest_side.h"
#include "vmm/devices/virtio/vsock/muxer.h"
#include "vmm/loop/event_loop.h"

namespace qm::vsock {

class VsockDevice final : public virtio::Device, private GuestSide {
 public:
  // `loop` outlives it. A fresh device has a state with nothing but the guest's CID. Errors are Muxer::create's.
  static Result<std::unique_ptr<VsockDevice>> create(EventLoop& loop, const MuxerConfig& config,
                                                     const virtio::VsockState& state);

  ~VsockDevice() override;

  virtio::DeviceKind kind() const override { return virtio::DeviceKind::vsock; }
  std::uint64_t features() const override { return 0; }
  std::vector<std::uint16_t> queueSizes() const override { return {128, 128, 8}; }
  void readConfig(std::uint64_t offset, std::span<std::byte> into) const override;
  void writeConfig(std::uint64_t /*offset*/, std::span<const std::byte> /*bytes*/) override {}
  Status activate(virtio::DeviceHost& host, std::uint64_t features) override;
  void reset() override;
  Result<bool> process(std::uint16_t queueIndex) override;
  virtio::DeviceState save() const override;

  const Counters& counters() const { return counters_; }

 private:
  enum QueueIndex : std::uint16_t { kReceive = 0, kTransmit = 1 };

  VsockDevice(EventLoop& loop, const virtio::VsockState& state) : loop_(loop), fresh_{.guestCid = state.guestCid} {}

  // GuestSide: from process(), with the lock held, or on the muxer's own account, without.
  std::optional<std::size_t> room() override;
  void deliver(const Header& header, std::span<const std::byte> payload) override;
  void onNextTurn() override;

  template <class Work>
  void withQueues(Work work);
  void catchUpWithReset();
  Result<bool> takePackets();
  Status takePacket(virtio::Queue& queue, const virtio::Chain& chain);
  Result<std::optional<std::size_t>> nextRoom();
  Status put(const Header& header, std::span<const std::byte> payload);

  EventLoop& loop_;
  virtio::VsockState fresh_;
  Counters counters_;
  std::unique_ptr<Muxer> muxer_;
  std::atomic<virtio::DeviceHost*> host_ = nullptr;  // since the first activate()
  std::atomic<bool> resetIsDue_ = false;
  // The rest is the loop's.
  bool inside_ = false;                                                        // process() runs: the lock is held
  std::uint64_t nextTurn_ = 0;                                                 // a timer, or 0
  std::shared_ptr<VsockDevice*> self_ = std::make_shared<VsockDevice*>(this);  // for tasks that may come too late
  Status failure_;  // what room() or deliver() found inside process()
  std::array<std::byte, kBufferBytes> payload_{};
};

}  // namespace qm::vsock
