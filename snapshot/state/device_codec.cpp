#include "snapshot/state/device_codec.h"

#include <algorithm>

#include <fmt/format.h>

#include "snapshot/state/blob.h"
#include "snapshot/state/bounds.h"
#include "snapshot/state/device_fields.h"

namespace qm::snapshot {

namespace {

using namespace virtio;

// One function for each kind of device, so that std::visit picks it and a new kind does not compile without one.
using Kind = schema::VirtioDevice::Kind;

void storeKind(const BlockState& block, Kind::Builder to) {
  auto schema = to.initBlock();
  storeFields(block, schema);
  schema.setId(textOf(block.id));
}

void storeKind(const NetState& net, Kind::Builder to) {
  to.initNet().setMac(dataOf<std::uint8_t>(net.mac));
}

void storeKind(const EntropyState& entropy, Kind::Builder to) {
  storeFields(entropy, to.initEntropy());
}

void storeKind(const VsockState& vsock, Kind::Builder to) {
  auto schema = to.initVsock();
  storeFields(vsock, schema);
  auto kept = schema.initKept(static_cast<unsigned>(vsock.kept.size()));
  for (unsigned i = 0; i < kept.size(); ++i) storeFields(vsock.kept[i], kept[i]);
  auto toReset = schema.initToReset(static_cast<unsigned>(vsock.toReset.size()));
  for (unsigned i = 0; i < toReset.size(); ++i) storeFields(vsock.toReset[i], toReset[i]);
}

Result<DeviceState> loadBlock(schema::Block::Reader from) {
  BlockState block = loadFields<BlockState>(from);
  TRY(checkCount("bytes of a disk's id", from.getId().size(), 0, kMaxBlockIdBytes));
  block.id = stringOf(from.getId());
  return block;
}

Result<DeviceState> loadNet(schema::Net::Reader from) {
  NetState net;
  const auto mac = from.getMac();
  TRY(checkCount("bytes of a MAC address", mac.size(), net.mac.size(), net.mac.size()));
  std::ranges::copy(mac, net.mac.begin());
  return net;
}

Result<DeviceState> loadVsock(schema::Vsock::Reader from) {
  VsockState vsock = loadFields<VsockState>(from);
  TRY(checkCount("kept vsock connections", from.getKept().size(), 0, kMaxVsockKept));
  for (const auto kept : from.getKept()) vsock.kept.push_back(loadFields<VsockConnection>(kept));
  TRY(checkCount("vsock connections to reset", from.getToReset().size(), 0, kMaxVsockResets));
  for (const auto ports : from.getToReset()) vsock.toReset.push_back(loadFields<VsockPorts>(ports));
  return vsock;
}

Result<DeviceState> loadKind(Kind::Reader from) {
  switch (from.which()) {
    case Kind::BLOCK:
      return loadBlock(from.getBlock());
    case Kind::NET:
      return loadNet(from.getNet());
    case Kind::ENTROPY:
      return DeviceState(loadFields<EntropyState>(from.getEntropy()));
    case Kind::VSOCK:
      return loadVsock(from.getVsock());
  }
  return stateRefused(
      fmt::format("a virtio device of kind {}, which has no name here", static_cast<unsigned>(from.which())));
}

void storeTransport(const TransportState& transport, schema::Transport::Builder to) {
  storeFields(transport, to);
  auto queues = to.initQueues(static_cast<unsigned>(transport.queues.size()));
  for (unsigned i = 0; i < queues.size(); ++i) storeFields(transport.queues[i], queues[i]);
}

Result<TransportState> loadTransport(schema::Transport::Reader from) {
  TransportState transport = loadFields<TransportState>(from);
  TRY(checkCount("queues of a virtio device", from.getQueues().size(), 0, kMaxQueues));
  for (const auto queue : from.getQueues()) transport.queues.push_back(loadFields<QueueState>(queue));
  return transport;
}

}  // namespace

void storeSerial(const SerialState& serial, schema::Serial::Builder to) {
  storeFields(serial, to);
  to.setReceived(dataOf<std::uint8_t>(serial.received));
}

Result<SerialState> loadSerial(schema::Serial::Reader from) {
  SerialState serial = loadFields<SerialState>(from);
  const auto received = from.getReceived();
  TRY(checkCount("bytes in the serial port's FIFO", received.size(), 0, kMaxSerialReceived));
  serial.received.assign(received.begin(), received.end());
  return serial;
}

void storeI8042(const I8042State& i8042, schema::I8042::Builder to) {
  storeFields(i8042, to);
  to.setOutput(dataOf<std::uint8_t>(i8042.output));
}

Result<I8042State> loadI8042(schema::I8042::Reader from) {
  I8042State i8042 = loadFields<I8042State>(from);
  const auto output = from.getOutput();
  TRY(checkCount("bytes in the keyboard controller", output.size(), 0, kMaxI8042Output));
  i8042.output.assign(output.begin(), output.end());
  return i8042;
}

void storeVirtio(const VirtioDeviceState& device, schema::VirtioDevice::Builder to) {
  storeFields(device, to);
  to.setId(textOf(device.id));
  to.setBase(device.base.value);
  storeTransport(device.transport, to.initTransport());
  std::visit([&to](const auto& kind) { storeKind(kind, to.getKind()); }, device.device);
}

Result<VirtioDeviceState> loadVirtio(schema::VirtioDevice::Reader from) {
  VirtioDeviceState device = loadFields<VirtioDeviceState>(from);
  TRY(checkCount("bytes of a device's id", from.getId().size(), 0, kMaxNameBytes));
  device.id = stringOf(from.getId());
  device.base = GuestAddress{from.getBase()};
  device.transport = TRY(loadTransport(from.getTransport()));
  device.device = TRY(loadKind(from.getKind()));
  return device;
}

}  // namespace qm::snapshot
