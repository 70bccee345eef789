#include "vmm/machine/virtio_devices.h"

#include <algorithm>
#include <chrono>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "vmm/devices/virtio/block/block.h"
#include "vmm/devices/virtio/entropy/entropy.h"
#include "vmm/devices/virtio/net/net.h"
#include "vmm/devices/virtio/vsock/vsock_device.h"
#include "vmm/os/random.h"
#include "vmm/os/tap.h"

namespace qm {

namespace {

using DevicePointer = std::unique_ptr<virtio::Device>;

Result<DevicePointer> makeBlock(const BlockConfig& config) {
  FileDescriptor file = TRY(openFile(config.path, config.readOnly ? OpenMode::read : OpenMode::readWrite));
  return TRY(virtio::Block::create(std::move(file), config.readOnly, config.id));
}

// Locally administered, unicast (IEEE 802, 8.2). With a seed, the same of the n-th device each time.
std::array<std::uint8_t, 6> randomMac(std::optional<std::uint64_t> seed, std::size_t n) {
  std::array<std::uint8_t, 6> mac{};
  if (seed) {
    const std::uint64_t mixed = (*seed + n) * 0x9e37'79b9'7f4a'7c15;  // 2^64 by the golden ratio
    for (std::size_t i = 0; i < mac.size(); ++i) mac[i] = static_cast<std::uint8_t>(mixed >> (16U + 8U * i));
  } else {
    fillRandom(std::as_writable_bytes(std::span(mac)));
  }
  mac[0] = static_cast<std::uint8_t>((mac[0] & 0xfcU) | 0x02U);
  return mac;
}

Result<DevicePointer> makeNet(FileDescriptor tap, const virtio::NetState& state, EventLoop& loop) {
  return TRY(virtio::Net::create(loop, std::move(tap), state));
}

// The device's file, if it is open already.
template <class Open>
std::optional<FileDescriptor> take(std::vector<Open>& all, FileDescriptor Open::* file, const std::string& id) {
  const auto found = std::ranges::find(all, id, &Open::id);
  if (found == all.end()) return std::nullopt;
  return std::move((*found).*file);
}

Result<DevicePointer> makeNet(const NetConfig& config, const std::array<std::uint8_t, 6>& mac,
                              std::vector<OpenTap>& taps, EventLoop& loop) {
  std::optional<FileDescriptor> open = take(taps, &OpenTap::tap, config.id);
  FileDescriptor tap = open ? *std::move(open) : TRY(openTap(config.tap));
  return makeNet(std::move(tap), {.mac = mac}, loop);
}

Result<DevicePointer> makeVsock(const std::filesystem::path& socket, const virtio::VsockState& state, EventLoop& loop,
                                std::optional<std::uint64_t> seed) {
  vsock::MuxerConfig config{.socketPath = socket, .agentPort = kAgentPort};
  // The guest's time is not the host's: how long the guest takes is nothing to judge it by.
  if (seed) config.answerTime = std::chrono::days(1);
  return TRY(vsock::VsockDevice::create(loop, config, state));
}

class DeviceList {
 public:
  Status add(const std::string& id, Result<DevicePointer> device) {
    if (!ids_.insert(id).second) return Error(Remedy::fixInput, fmt::format("two devices are called {}", id));
    if (devices_.size() == kMaxVirtioDevices)
      return Error(Remedy::fixInput, fmt::format("a machine has at most {} devices", kMaxVirtioDevices));
    devices_.push_back({.id = id,
                        .place = virtioPlace(devices_.size()),
                        .device = TRY(std::move(device).during(fmt::format("making device {}", id))),
                        .saved = {}});
    return {};
  }
  std::vector<PlacedDevice> take() { return std::move(devices_); }

 private:
  std::set<std::string> ids_;
  std::vector<PlacedDevice> devices_;
};

}  // namespace

Result<std::vector<PlacedDevice>> makeVirtioDevices(const MachineConfig& config, std::vector<OpenTap> taps,
                                                    EventLoop& loop, std::optional<std::uint64_t> seed) {
  DeviceList list;
  for (const bool root : {true, false}) {
    for (const BlockConfig& block : config.blocks) {
      if (block.isRoot == root) TRY(list.add(block.id, makeBlock(block)));
    }
  }
  std::size_t nets = 0;
  for (const NetConfig& net : config.nets)
    TRY(list.add(net.id, makeNet(net, net.mac ? *net.mac : randomMac(seed, nets++), taps, loop)));
  if (config.vsock)
    TRY(list.add("vsock", makeVsock(config.vsock->socketPath, {.guestCid = config.vsock->guestCid}, loop, seed)));
  for (std::uint32_t i = 0; i < config.entropyDevices; ++i)
    TRY(list.add(i == 0 ? "entropy" : fmt::format("entropy{}", i), std::make_unique<virtio::Entropy>(seed)));
  return list.take();
}

namespace {

// Makes the device of the saved kind again; the host's side comes from the configuration.
class Remaker {
 public:
  Remaker(const RestoreConfig& config, RestoreMeans& means, EventLoop& loop, const std::string& id,
          std::optional<std::uint64_t> seed)
      : config_(config), means_(means), loop_(loop), id_(id), seed_(seed) {}

  Result<DevicePointer> operator()(const virtio::BlockState& state) const {
    if (std::optional<FileDescriptor> open = take(means_.disks, &OpenDisk::image, id_))
      return TRY(virtio::Block::restore(*std::move(open), state));
    const BlockConfig* block = TRY(find(config_.blocks, "a path"));
    FileDescriptor file = TRY(openFile(block->path, state.readOnly ? OpenMode::read : OpenMode::readWrite));
    return TRY(virtio::Block::restore(std::move(file), state));
  }
  Result<DevicePointer> operator()(const virtio::NetState& state) const {
    if (std::optional<FileDescriptor> open = take(means_.taps, &OpenTap::tap, id_))
      return makeNet(*std::move(open), state, loop_);
    const NetConfig* net = TRY(find(config_.nets, "a tap"));
    return makeNet(TRY(openTap(net->tap)), state, loop_);
  }
  Result<DevicePointer> operator()(const virtio::EntropyState& state) const {
    return std::make_unique<virtio::Entropy>(seed_, state);
  }
  Result<DevicePointer> operator()(const virtio::VsockState& state) const {
    if (config_.vsockSocketPath.empty())
      return Error(Remedy::fixInput, "the saved machine has a vsock; name a path for its socket");
    return makeVsock(config_.vsockSocketPath, state, loop_, seed_);
  }

 private:
  template <class Config>
  Result<const Config*> find(const std::vector<Config>& configs, std::string_view what) const {
    const auto found = std::ranges::find(configs, id_, &Config::id);
    if (found == configs.end())
      return Error(Remedy::fixInput, fmt::format("the saved machine has a device {}; name {} for it", id_, what));
    return &*found;
  }

  const RestoreConfig& config_;
  RestoreMeans& means_;
  EventLoop& loop_;
  const std::string& id_;
  std::optional<std::uint64_t> seed_;
};

}  // namespace

Result<std::vector<PlacedDevice>> remakeVirtioDevices(const std::vector<VirtioDeviceState>& states,
                                                      const RestoreConfig& config, RestoreMeans& means, EventLoop& loop,
                                                      std::optional<std::uint64_t> seed) {
  std::vector<PlacedDevice> devices;
  devices.reserve(states.size());
  for (const VirtioDeviceState& state : states) {
    devices.push_back({.id = state.id,
                       .place = {.base = state.base, .gsi = state.gsi},
                       .device = TRY(std::visit(Remaker(config, means, loop, state.id, seed), state.device)
                                         .during(fmt::format("restoring device {}", state.id))),
                       .saved = state.transport});
  }
  return devices;
}

}  // namespace qm
