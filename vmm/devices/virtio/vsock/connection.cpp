#include "vmm/devices/virtio/vsock/connection.h"

#include <utility>

#include "vmm/result/check.h"

namespace qm::vsock {

Connection Connection::requestedByHost(Ports ports) {
  Connection connection(ports);
  connection.fromHost_ = true;
  connection.owesRequest_ = true;
  return connection;
}

Connection Connection::requestedByGuest(Ports ports, const Header& request) {
  Connection connection(ports);
  connection.learnCredit(request);
  connection.isOpen_ = true;
  connection.owesResponse_ = true;
  return connection;
}

Connection Connection::restored(const virtio::VsockConnection& state) {
  Connection connection({.hostPort = state.hostPort, .guestPort = state.guestPort});
  connection.isOpen_ = true;
  connection.fromHost_ = true;
  connection.credit_ = {.received = state.receivedBytes,
                        .forwarded = state.receivedBytes,
                        .announced = state.announcedBytes,
                        .sent = state.sentBytes,
                        .peerBuffer = state.peerBufferBytes,
                        .peerForwarded = state.peerForwardedBytes};
  return connection;
}

// Every packet carries its sender's credit (5.10.6.3).
void Connection::learnCredit(const Header& header) {
  credit_.peerBuffer = header.bufferBytes;
  credit_.peerForwarded = header.forwardedBytes;
  if (credit_.free() > 0) askedForCredit_ = false;
}

Verdict Connection::receive(Operation operation, const Header& header) {
  learnCredit(header);
  if (operation == Operation::reset) return Verdict::forget;
  if (operation == Operation::response) {
    if (isOpen_ || owesRequest_) return Verdict::reset;
    isOpen_ = true;
    return Verdict::keep;
  }
  if (!isOpen_) return Verdict::reset;
  switch (operation) {
    case Operation::data:
      if (!guestSends_ || !credit_.accepts(header.length)) return Verdict::reset;
      credit_.received += header.length;
      return Verdict::keep;
    case Operation::shutdown:
      if ((header.flags & kShutdownSend) != 0) guestSends_ = false;
      if ((header.flags & kShutdownReceive) != 0) guestReceives_ = false;
      return Verdict::keep;
    case Operation::creditUpdate:
      return Verdict::keep;
    case Operation::creditRequest:
      owesCreditUpdate_ = true;
      return Verdict::keep;
    case Operation::request:  // a second one for ports that are in use
    case Operation::response:
    case Operation::reset:
      break;
  }
  return Verdict::reset;
}

Header Connection::packet(std::uint64_t guestCid, Operation operation) {
  credit_.announced = credit_.forwarded;
  owesCreditUpdate_ = false;
  return {.sourceCid = kHostCid,
          .destinationCid = guestCid,
          .sourcePort = ports_.hostPort,
          .destinationPort = ports_.guestPort,
          .operation = std::to_underlying(operation),
          .bufferBytes = kBufferBytes,
          .forwardedBytes = credit_.forwarded};
}

std::optional<Header> Connection::takeOwed(std::uint64_t guestCid) {
  if (std::exchange(owesRequest_, false)) return packet(guestCid, Operation::request);
  if (std::exchange(owesResponse_, false)) return packet(guestCid, Operation::response);
  if (std::exchange(owesShutdown_, false)) {
    Header header = packet(guestCid, Operation::shutdown);
    header.flags = (hostSends_ ? 0 : kShutdownSend) | (hostReceives_ ? 0 : kShutdownReceive);
    return header;
  }
  if (std::exchange(owesCreditRequest_, false)) return packet(guestCid, Operation::creditRequest);
  if (owesCreditUpdate_) return packet(guestCid, Operation::creditUpdate);
  return std::nullopt;
}

Header Connection::dataPacket(std::uint64_t guestCid, std::uint32_t bytes) {
  CHECK(bytes <= credit());
  credit_.sent += bytes;
  Header header = packet(guestCid, Operation::data);
  header.length = bytes;
  return header;
}

void Connection::starve() {
  if (!std::exchange(askedForCredit_, true)) owesCreditRequest_ = true;
}

void Connection::forward(std::uint32_t bytes) {
  CHECK(bytes <= credit_.buffered());
  credit_.forwarded += bytes;
  // A guest that sends no more wants no credit.
  if (guestSends_ && credit_.isUpdateDue()) owesCreditUpdate_ = true;
}

void Connection::endHostSending() {
  if (std::exchange(hostSends_, false)) owesShutdown_ = true;
}

void Connection::endHost() {
  endHostSending();
  if (std::exchange(hostReceives_, false)) owesShutdown_ = true;
  forward(credit_.buffered());
}

bool Connection::isQuiet() const {
  return isOpen_ && guestSends_ && guestReceives_ && hostSends_ && hostReceives_ && !owes() && credit_.buffered() == 0;
}

virtio::VsockConnection Connection::save() const {
  return {.hostPort = ports_.hostPort,
          .guestPort = ports_.guestPort,
          .receivedBytes = credit_.forwarded,
          .announcedBytes = credit_.announced,
          .sentBytes = credit_.sent,
          .peerBufferBytes = credit_.peerBuffer,
          .peerForwardedBytes = credit_.peerForwarded};
}

}  // namespace qm::vsock
