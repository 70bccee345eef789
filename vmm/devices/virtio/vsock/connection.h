// One stream between a port of the guest and one of the host, as the protocol sees it (virtio 1.2, 5.10.6.6): what each
// packet of the guest means, and which packets are owed to it. A value; the bytes and the socket are the muxer's.
#pragma once

#include <cstdint>
#include <optional>

#include "vmm/devices/virtio/state.h"
#include "vmm/devices/virtio/vsock/credit.h"
#include "vmm/devices/virtio/vsock/packet.h"

namespace qm::vsock {

using Ports = virtio::VsockPorts;

// What becomes of a connection after a packet.
enum class Verdict : std::uint8_t {
  keep,
  reset,   // the guest broke the protocol: answer RST and forget the connection
  forget,  // the guest reset it
};

class Connection {
 public:
  // A client of the host asked for it: owes the guest a REQUEST.
  static Connection requestedByHost(Ports ports);
  // The guest asked for it and the host agreed: owes the guest a RESPONSE.
  static Connection requestedByGuest(Ports ports, const Header& request);
  // Open, as it was saved.
  static Connection restored(const virtio::VsockConnection& state);

  // A packet of the guest for these ports, with an operation that has a name. For data that is kept: its bytes count as
  // received.
  Verdict receive(Operation operation, const Header& header);

  // The next packet that is owed to the guest, complete; it counts as sent.
  std::optional<Header> takeOwed(std::uint64_t guestCid);
  bool owes() const {
    return owesRequest_ || owesResponse_ || owesShutdown_ || owesCreditUpdate_ || owesCreditRequest_;
  }

  // Whether the guest takes data at all, now or once it gives credit.
  bool carriesToGuest() const { return isOpen_ && guestReceives_ && hostSends_; }
  // Bytes that the guest takes now.
  std::uint32_t credit() const { return carriesToGuest() ? credit_.free() : 0; }
  // The header of a data packet of that many bytes, at most credit(); they count as sent.
  Header dataPacket(std::uint64_t guestCid, std::uint32_t bytes);
  // Data waits and credit() is 0: the guest is asked for news of its credit, once until it gives some.
  void starve();
  // A packet that tells the guest our credit is owed.
  void oweCreditUpdate() { owesCreditUpdate_ = true; }

  // So many received bytes reached the host, or were given up.
  void forward(std::uint32_t bytes);

  // The host sends no more.
  void endHostSending();
  // The host neither sends nor receives any more.
  void endHost();

  Ports ports() const { return ports_; }
  bool isOpen() const { return isOpen_; }
  // The guest asked for it, or was asked: it wants to hear of the end, too.
  bool isKnownToGuest() const { return !owesRequest_; }
  bool isFromHost() const { return fromHost_; }
  bool guestSends() const { return guestSends_; }
  bool guestReceives() const { return guestReceives_; }
  bool guestIsDone() const { return !guestSends_ && !guestReceives_; }
  bool hostReceives() const { return hostReceives_; }
  // Open in both directions, nothing owed, nothing buffered: all there is to it is in save().
  bool isQuiet() const;
  virtio::VsockConnection save() const;

  bool operator==(const Connection&) const = default;

 private:
  explicit Connection(Ports ports) : ports_(ports) {}
  void learnCredit(const Header& header);
  Header packet(std::uint64_t guestCid, Operation operation);

  Ports ports_;
  Credit credit_;
  bool isOpen_ = false;  // the RESPONSE came, or was or will be the first packet we send
  bool fromHost_ = false;
  bool guestSends_ = true, guestReceives_ = true;
  bool hostSends_ = true, hostReceives_ = true;
  bool owesRequest_ = false, owesResponse_ = false, owesShutdown_ = false;
  bool owesCreditUpdate_ = false, owesCreditRequest_ = false;
  bool askedForCredit_ = false;
};

}  // namespace qm::vsock
