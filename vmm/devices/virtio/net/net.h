// virtio-net (virtio 1.2, 5.1) over a tap.
// Modelled: one receive and one transmit queue; the MAC address in the config space.
// Not modelled: the control queue, multiple queue pairs, mergeable receive buffers, checksum and segmentation offloads,
//   link status and MTU in the config space.
// Frames lose what does not fit, as a wire would: one that the driver's buffer is too small for, that the tap does not
// take, or that is no frame at all, is dropped and counted. A queue whose rules are broken, or a tap that is gone,
// fails the device.
//
// Threads: the tap is watched on the loop thread, while the driver has buffers to receive into. The watch begins when
// the driver rings (after a restore: by the transport's kick()) and ends by itself once the device is not active. So
// create() is for any thread, destruction for the loop thread, or for when the loop does not run.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "vmm/devices/virtio/device.h"
#include "vmm/devices/virtio/net/net_counters.h"
#include "vmm/loop/event_loop.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::virtio {

class Net final : public Device {
 public:
  // `tap` is one of openTap(), or an end of frameSocketPair(); it is made non-blocking. `loop` outlives the device.
  static Result<std::unique_ptr<Net>> create(EventLoop& loop, FileDescriptor tap, const NetState& state);
  Net(const Net&) = delete;
  Net& operator=(const Net&) = delete;
  ~Net() override { loop_.unwatch(tap_); }

  DeviceKind kind() const override { return DeviceKind::net; }
  std::uint64_t features() const override;
  std::vector<std::uint16_t> queueSizes() const override { return {256, 256}; }
  void readConfig(std::uint64_t offset, std::span<std::byte> into) const override;
  void writeConfig(std::uint64_t /*offset*/, std::span<const std::byte> /*bytes*/) override {}
  Status activate(DeviceHost& host, std::uint64_t features) override;
  void reset() override {}  // the watch notices
  Result<bool> process(std::uint16_t queueIndex) override;
  DeviceState save() const override { return state_; }

  const NetCounters& counters() const { return counters_; }

 private:
  Net(EventLoop& loop, FileDescriptor tap, const NetState& state);

  void onTapReadable();
  Status receive();
  Result<bool> receiveInto(Queue& queue, const Chain& chain);
  Result<std::uint32_t> transmit(const Chain& chain);
  Status resumeWatch();
  void suspendWatch();

  EventLoop& loop_;
  FileDescriptor tap_;
  NetState state_;
  NetCounters counters_;
  // One frame on its way, header included. Not initialised, so that an idle device does not touch its pages.
  std::unique_ptr<std::byte[]> frame_;
  DeviceHost* host_ = nullptr;  // written once, before the watch begins: the handler reads it without the lock
  bool watched_ = false;        // loop thread
};

}  // namespace qm::virtio
