// Ties the connections of one guest to Unix sockets of the host: clients of `socketPath` to listening ports of the
// guest, and connections that the guest makes to port P to whoever listens at `<socketPath>_P`.
//
// Threads: the loop's only. Bytes wait in the host's sockets, not here, when the guest gives no receive buffer or no
// credit (the socket is then not read), and at most kBufferBytes a connection when the host's socket takes none (the
// guest has no more credit then).
#pragma once

#include <chrono>
#include <cstdint>
#include <deque>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <span>

#include "vmm/devices/virtio/state.h"
#include "vmm/devices/virtio/vsock/connect_listener.h"
#include "vmm/devices/virtio/vsock/connection.h"
#include "vmm/devices/virtio/vsock/counters.h"
#include "vmm/devices/virtio/vsock/guest_side.h"
#include "vmm/devices/virtio/vsock/host_buffer.h"
#include "vmm/loop/event_loop.h"

namespace qm::vsock {

struct MuxerConfig {
  std::filesystem::path socketPath;
  std::uint32_t agentPort = 0;  // the guest's port whose connection a snapshot keeps; 0: none
  // How long a peer may take to answer a REQUEST, or to finish a connection that was shut down.
  std::chrono::milliseconds answerTime{2000};
  // Connections, and clients on their way to be one.
  std::size_t maxConnections = 1023;
};

class Muxer {
 public:
  // `guest` and `counters` outlive it. fixInput: the socket cannot be made, or the state is not one that save() gives.
  static Result<std::unique_ptr<Muxer>> create(EventLoop& loop, const MuxerConfig& config,
                                               const virtio::VsockState& state, GuestSide& guest, Counters& counters);
  ~Muxer();
  Muxer(const Muxer&) = delete;
  Muxer& operator=(const Muxer&) = delete;

  // A packet of the guest: its header, as the guest wrote it, and the payload bytes that really came with it.
  void receive(const Header& header, std::span<const std::byte> payload);
  // False while so many replies wait for receive buffers that no packet should be taken from the guest (5.10.6.1.1: the
  // side that neglects its queue must not make the other hold replies without bound).
  bool takesPackets() const { return resets_.size() < kMaxWaitingResets; }
  // Sends what waits, as far as the guest has given receive buffers, at most 256 packets (then GuestSide::onNextTurn).
  // To be called when it gave some, and after receive().
  void pump();

  // The driver reset the device: all connections end, and the guest hears of none.
  void reset();

  // What a snapshot keeps. At most one connection: the oldest to the agent's port that is quiet (Connection::isQuiet,
  // nothing on its way to the host). All others are to be reset.
  virtio::VsockState save() const;

  std::size_t connections() const { return streams_.size(); }

 private:
  static constexpr std::size_t kMaxWaitingResets = 256;

  struct Stream {
    Connection connection;
    FileDescriptor host;  // not open: the host is gone, or has not come yet (a kept connection)
    HostBuffer toHost;
    Ready interest = Ready::none;                           // as watched; none: not watched at all
    bool mayRead = false;                                   // host has something that was not read: bytes or its end
    bool isWaiting = false;                                 // in waiting_
    bool sendingStopped = false, receivingStopped = false;  // what host was told of the guest's SHUTDOWN
    std::uint64_t timer = 0;                                // or 0
  };
  struct PendingReset {
    Ports ports;
    std::uint16_t type;
  };

  Muxer(EventLoop& loop, const MuxerConfig& config, const virtio::VsockState& state, GuestSide& guest,
        Counters& counters);
  bool isFull() const;

  // Streams begin and end.
  void connectFromHost(std::uint32_t guestPort, FileDescriptor client);
  void connectFromGuest(Ports ports, const Header& request);
  bool attach(Stream& stream, FileDescriptor client);
  Stream& add(Connection connection, FileDescriptor host);
  std::uint32_t freeHostPort();
  void drop(Stream& stream);
  void dropWithReset(Stream& stream);
  void startTimer(Stream& stream);
  void sendReset(Ports ports, std::uint16_t type);

  // From the guest.
  void takePayload(Stream& stream, std::span<const std::byte> payload);
  void opened(Stream& stream);
  void settle(Stream& stream);

  // To and from the host.
  void onReady(Ports ports, Ready ready);
  void flush(Stream& stream);
  void endHost(Stream& stream);
  void updateInterest(Stream& stream);

  // To the guest.
  void wake(Stream& stream);
  void pumpNextTurn();
  void deliverReset();
  void serve(Stream& stream, std::size_t room);
  void readFromHost(Stream& stream, std::size_t room);
  void deliver(const Header& header, std::span<const std::byte> payload = {});

  EventLoop& loop_;
  GuestSide& guest_;
  Counters& counters_;
  MuxerConfig config_;
  std::uint64_t guestCid_;
  std::uint32_t nextHostPort_;
  std::map<Ports, Stream> streams_;
  std::optional<Ports> kept_;        // restored, and no client of the host has come for it yet
  std::deque<Ports> waiting_;        // streams with something for the guest, each once
  std::deque<PendingReset> resets_;  // for connections that are no more
  std::uint64_t nextTurn_ = 0;       // the timer that goes on with a pump() that stopped for others' sake, or 0
  std::unique_ptr<ConnectListener> listener_;
};

}  // namespace qm::vsock
