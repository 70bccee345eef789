// The plain numbers of the devices' states.
#pragma once

#include <cstddef>
#include <tuple>

#include "snapshot/schema/devices.capnp.h"
#include "snapshot/state/fields.h"
#include "vmm/machine/machine_state.h"

namespace qm::snapshot {

template <>
struct Fields<SerialState> {
  using To = schema::Serial::Builder;
  using From = schema::Serial::Reader;
  static constexpr auto kRows = std::tuple{
      Field{&SerialState::interruptEnable, &To::setInterruptEnable, &From::getInterruptEnable},
      Field{&SerialState::fifoControl, &To::setFifoControl, &From::getFifoControl},
      Field{&SerialState::lineControl, &To::setLineControl, &From::getLineControl},
      Field{&SerialState::modemControl, &To::setModemControl, &From::getModemControl},
      Field{&SerialState::scratch, &To::setScratch, &From::getScratch},
      Field{&SerialState::divisor, &To::setDivisor, &From::getDivisor},
      Field{&SerialState::transmitEmptyPending, &To::setTransmitEmptyPending, &From::getTransmitEmptyPending}};
  // received
  static constexpr std::size_t kByHand = 1;
};

template <>
struct Fields<I8042State> {
  using To = schema::I8042::Builder;
  using From = schema::I8042::Reader;
  static constexpr auto kRows =
      std::tuple{Field{&I8042State::commandByte, &To::setCommandByte, &From::getCommandByte},
                 Field{&I8042State::outputPort, &To::setOutputPort, &From::getOutputPort},
                 Field{&I8042State::pendingCommand, &To::setPendingCommand, &From::getPendingCommand}};
  // output
  static constexpr std::size_t kByHand = 1;
};

template <>
struct Fields<virtio::QueueState> {
  using To = schema::Queue::Builder;
  using From = schema::Queue::Reader;
  static constexpr auto kRows =
      std::tuple{Field{&virtio::QueueState::size, &To::setSize, &From::getSize},
                 Field{&virtio::QueueState::ready, &To::setReady, &From::getReady},
                 Field{&virtio::QueueState::descriptorTable, &To::setDescriptorTable, &From::getDescriptorTable},
                 Field{&virtio::QueueState::availableRing, &To::setAvailableRing, &From::getAvailableRing},
                 Field{&virtio::QueueState::usedRing, &To::setUsedRing, &From::getUsedRing},
                 Field{&virtio::QueueState::nextAvailable, &To::setNextAvailable, &From::getNextAvailable},
                 Field{&virtio::QueueState::nextUsed, &To::setNextUsed, &From::getNextUsed}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<virtio::TransportState> {
  using To = schema::Transport::Builder;
  using From = schema::Transport::Reader;
  static constexpr auto kRows = std::tuple{
      Field{&virtio::TransportState::deviceFeaturesSelect, &To::setDeviceFeaturesSelect,
            &From::getDeviceFeaturesSelect},
      Field{&virtio::TransportState::driverFeaturesSelect, &To::setDriverFeaturesSelect,
            &From::getDriverFeaturesSelect},
      Field{&virtio::TransportState::driverFeatures, &To::setDriverFeatures, &From::getDriverFeatures},
      Field{&virtio::TransportState::queueSelect, &To::setQueueSelect, &From::getQueueSelect},
      Field{&virtio::TransportState::status, &To::setStatus, &From::getStatus},
      Field{&virtio::TransportState::interruptStatus, &To::setInterruptStatus, &From::getInterruptStatus},
      Field{&virtio::TransportState::configGeneration, &To::setConfigGeneration, &From::getConfigGeneration}};
  // queues
  static constexpr std::size_t kByHand = 1;
};

template <>
struct Fields<virtio::BlockState> {
  using To = schema::Block::Builder;
  using From = schema::Block::Reader;
  static constexpr auto kRows =
      std::tuple{Field{&virtio::BlockState::capacitySectors, &To::setCapacitySectors, &From::getCapacitySectors},
                 Field{&virtio::BlockState::readOnly, &To::setReadOnly, &From::getReadOnly}};
  // id
  static constexpr std::size_t kByHand = 1;
};

template <>
struct Fields<virtio::EntropyState> {
  using To = schema::Entropy::Builder;
  using From = schema::Entropy::Reader;
  static constexpr auto kRows =
      std::tuple{Field{&virtio::EntropyState::hasSequence, &To::setHasSequence, &From::getHasSequence},
                 Field{&virtio::EntropyState::sequence, &To::setSequence, &From::getSequence}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<virtio::VsockConnection> {
  using To = schema::VsockConnection::Builder;
  using From = schema::VsockConnection::Reader;
  static constexpr auto kRows = std::tuple{
      Field{&virtio::VsockConnection::hostPort, &To::setHostPort, &From::getHostPort},
      Field{&virtio::VsockConnection::guestPort, &To::setGuestPort, &From::getGuestPort},
      Field{&virtio::VsockConnection::receivedBytes, &To::setReceivedBytes, &From::getReceivedBytes},
      Field{&virtio::VsockConnection::announcedBytes, &To::setAnnouncedBytes, &From::getAnnouncedBytes},
      Field{&virtio::VsockConnection::sentBytes, &To::setSentBytes, &From::getSentBytes},
      Field{&virtio::VsockConnection::peerBufferBytes, &To::setPeerBufferBytes, &From::getPeerBufferBytes},
      Field{&virtio::VsockConnection::peerForwardedBytes, &To::setPeerForwardedBytes, &From::getPeerForwardedBytes}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<virtio::VsockPorts> {
  using To = schema::VsockPorts::Builder;
  using From = schema::VsockPorts::Reader;
  static constexpr auto kRows =
      std::tuple{Field{&virtio::VsockPorts::hostPort, &To::setHostPort, &From::getHostPort},
                 Field{&virtio::VsockPorts::guestPort, &To::setGuestPort, &From::getGuestPort}};
  static constexpr std::size_t kByHand = 0;
};

template <>
struct Fields<virtio::VsockState> {
  using To = schema::Vsock::Builder;
  using From = schema::Vsock::Reader;
  static constexpr auto kRows =
      std::tuple{Field{&virtio::VsockState::guestCid, &To::setGuestCid, &From::getGuestCid},
                 Field{&virtio::VsockState::nextHostPort, &To::setNextHostPort, &From::getNextHostPort}};
  // kept, toReset
  static constexpr std::size_t kByHand = 2;
};

template <>
struct Fields<VirtioDeviceState> {
  using To = schema::VirtioDevice::Builder;
  using From = schema::VirtioDevice::Reader;
  static constexpr auto kRows = std::tuple{Field{&VirtioDeviceState::gsi, &To::setGsi, &From::getGsi}};
  // id, base, transport, device
  static constexpr std::size_t kByHand = 4;
};

}  // namespace qm::snapshot
