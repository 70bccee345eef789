#include "vmm/devices/virtio/vsock/muxer.h"

#include <algorithm>
#include <array>
#include <utility>

#include "vmm/devices/virtio/vsock/connect_line.h"
#include "vmm/os/stream_socket.h"
#include "vmm/os/unix_socket.h"
#include "vmm/result/check.h"

namespace qm::vsock {

namespace {

// Host ports are [2^30, 2^31): above what people choose, and apart from the guest's own ephemeral ports in a trace.
constexpr std::uint32_t kFirstHostPort = std::uint32_t{1} << 30;
constexpr std::uint32_t kLastHostPort = (std::uint32_t{1} << 31) - 1;

// Most that one packet to the guest carries; Linux gives receive buffers of 4 KiB.
constexpr std::size_t kMaxPayloadToGuest = 16 * 1024;

constexpr std::size_t kPacketsPerTurn = 256;

}  // namespace

Result<std::unique_ptr<Muxer>> Muxer::create(EventLoop& loop, const MuxerConfig& config,
                                             const virtio::VsockState& state, GuestSide& guest, Counters& counters) {
  if (state.kept.size() > 1 || state.nextHostPort < kFirstHostPort || state.nextHostPort > kLastHostPort) {
    return Error(Remedy::fixInput, "the vsock device's state keeps " + std::to_string(state.kept.size()) +
                                       " connections and goes on at host port " + std::to_string(state.nextHostPort) +
                                       "; no device saved that");
  }
  std::unique_ptr<Muxer> muxer(new Muxer(loop, config, state, guest, counters));
  Muxer* self = muxer.get();
  muxer->listener_ = TRY(ConnectListener::create(
      loop, config.socketPath,
      {.admits = [self] { return !self->isFull(); },
       .onConnect = [self](std::uint32_t port,
                           FileDescriptor client) { self->connectFromHost(port, std::move(client)); },
       .onRefusal = [self] { count(self->counters_.connectionsRefused); }}));
  return muxer;
}

Muxer::Muxer(EventLoop& loop, const MuxerConfig& config, const virtio::VsockState& state, GuestSide& guest,
             Counters& counters)
    : loop_(loop),
      guest_(guest),
      counters_(counters),
      config_(config),
      guestCid_(state.guestCid),
      nextHostPort_(state.nextHostPort) {
  for (const virtio::VsockConnection& kept : state.kept) {
    kept_ = add(Connection::restored(kept), FileDescriptor()).connection.ports();
  }
  for (const Ports ports : state.toReset) resets_.push_back({.ports = ports, .type = kTypeStream});
}

Muxer::~Muxer() {
  reset();
}

bool Muxer::isFull() const {
  const std::size_t clients = listener_ == nullptr ? 0 : listener_->clients();
  return streams_.size() + clients >= config_.maxConnections;
}

void Muxer::reset() {
  while (!streams_.empty()) drop(streams_.begin()->second);
  resets_.clear();
  if (nextTurn_ != 0) loop_.cancel(std::exchange(nextTurn_, 0));
}

virtio::VsockState Muxer::save() const {
  virtio::VsockState state{.guestCid = guestCid_, .kept = {}, .toReset = {}, .nextHostPort = nextHostPort_};
  for (const PendingReset& reset : resets_) {
    if (reset.type == kTypeStream) state.toReset.push_back(reset.ports);
  }
  for (const auto& [ports, stream] : streams_) {
    const bool isAgents = stream.connection.isFromHost() && ports.guestPort == config_.agentPort;
    if (state.kept.empty() && isAgents && stream.connection.isQuiet() && !stream.mayRead) {
      state.kept.push_back(stream.connection.save());
    } else {
      state.toReset.push_back(ports);
    }
  }
  return state;
}

// ---- Streams begin and end ----

Muxer::Stream& Muxer::add(Connection connection, FileDescriptor host) {
  const Ports ports = connection.ports();
  const auto [place, isNew] =
      streams_.emplace(ports, Stream{.connection = connection, .host = std::move(host), .toHost = {}});
  CHECK(isNew);
  return place->second;
}

std::uint32_t Muxer::freeHostPort() {
  for (;;) {
    const std::uint32_t port = nextHostPort_;
    nextHostPort_ = port == kLastHostPort ? kFirstHostPort : port + 1;
    const auto found = streams_.lower_bound({.hostPort = port, .guestPort = 0});
    if (found == streams_.end() || found->first.hostPort != port) return port;
  }
}

void Muxer::connectFromHost(std::uint32_t guestPort, FileDescriptor client) {
  count(counters_.connectionsFromHost);
  if (kept_.has_value() && guestPort == config_.agentPort) {
    Stream& stream = streams_.at(*kept_);
    if (attach(stream, std::move(client))) settle(stream);
    return pump();
  }
  Stream& stream =
      add(Connection::requestedByHost({.hostPort = freeHostPort(), .guestPort = guestPort}), std::move(client));
  startTimer(stream);
  wake(stream);
  pump();
}

// A client that is gone already leaves the kept connection to the next one.
bool Muxer::attach(Stream& stream, FileDescriptor client) {
  const std::string line = connectedLine(stream.connection.ports().hostPort);
  const Result<std::size_t> sent = sendSome(client, std::as_bytes(std::span(line)));
  if (!sent.has_value() || *sent != line.size()) return false;
  stream.host = std::move(client);
  kept_.reset();
  flush(stream);
  return true;
}

void Muxer::connectFromGuest(Ports ports, const Header& request) {
  count(counters_.connectionsFromGuest);
  const std::string path = config_.socketPath.native() + "_" + std::to_string(ports.hostPort);
  // A Unix socket connects at once or not at all: there is nothing to wait for.
  Result<FileDescriptor> host =
      isFull() ? Result<FileDescriptor>(Error(Remedy::retry, "too many")) : connectUnix(path, Blocking::no);
  if (!host.has_value()) {
    count(counters_.connectionsRefused);
    return sendReset(ports, kTypeStream);
  }
  settle(add(Connection::requestedByGuest(ports, request), std::move(*host)));
}

void Muxer::startTimer(Stream& stream) {
  if (stream.timer != 0) return;
  const Ports ports = stream.connection.ports();
  stream.timer = loop_.at(std::chrono::steady_clock::now() + config_.answerTime, [this, ports] {
    Stream& late = streams_.at(ports);
    late.timer = 0;
    if (!late.connection.isOpen()) count(counters_.connectionsRefused);
    dropWithReset(late);
    pump();
  });
}

void Muxer::drop(Stream& stream) {
  const Ports ports = stream.connection.ports();
  if (stream.timer != 0) loop_.cancel(stream.timer);
  if (stream.interest != Ready::none) loop_.unwatch(stream.host);
  if (stream.isWaiting) std::erase(waiting_, ports);
  if (kept_ == ports) kept_.reset();
  streams_.erase(ports);
}

void Muxer::dropWithReset(Stream& stream) {
  const Ports ports = stream.connection.ports();
  const bool isKnown = stream.connection.isKnownToGuest();
  drop(stream);
  // Or a guest that gives no buffer would be owed one more for each client that ever asked for it, without bound.
  if (isKnown) sendReset(ports, kTypeStream);
}

void Muxer::sendReset(Ports ports, std::uint16_t type) {
  resets_.push_back({.ports = ports, .type = type});
}

// ---- From the guest ----

void Muxer::receive(const Header& header, std::span<const std::byte> payload) {
  count(counters_.packetsFromGuest);
  const std::optional<Operation> operation = operationOf(header);
  const bool isForUs = header.sourceCid == guestCid_ && header.destinationCid == kHostCid;
  if (!isForUs || !operation.has_value()) return count(counters_.packetsDropped);

  const Ports ports{.hostPort = header.destinationPort, .guestPort = header.sourcePort};
  const auto found = header.type == kTypeStream ? streams_.find(ports) : streams_.end();
  if (found == streams_.end()) {
    if (operation == Operation::request && header.type == kTypeStream) return connectFromGuest(ports, header);
    // 5.10.6.5 and 5.10.6.6.1: no such type, no such connection; but a RST is never answered.
    if (operation != Operation::reset) sendReset(ports, header.type);
    return;
  }
  Stream& stream = found->second;
  const bool isWhole = operation != Operation::data || header.length == payload.size();
  if (!isWhole) count(counters_.packetsDropped);
  const bool wasOpen = stream.connection.isOpen();
  switch (isWhole ? stream.connection.receive(*operation, header) : Verdict::reset) {
    case Verdict::reset:
      return dropWithReset(stream);
    case Verdict::forget:
      if (!wasOpen) count(counters_.connectionsRefused);
      return drop(stream);
    case Verdict::keep:
      break;
  }
  if (!wasOpen) return opened(stream);
  if (operation == Operation::data) takePayload(stream, payload);
  settle(stream);
}

// The guest's RESPONSE came: the client of the host may begin.
void Muxer::opened(Stream& stream) {
  loop_.cancel(std::exchange(stream.timer, 0));
  const std::string line = connectedLine(stream.connection.ports().hostPort);
  const Result<std::size_t> sent = sendSome(stream.host, std::as_bytes(std::span(line)));
  if (!sent.has_value() || *sent != line.size()) endHost(stream);
  settle(stream);
}

void Muxer::takePayload(Stream& stream, std::span<const std::byte> payload) {
  count(counters_.bytesFromGuest, payload.size());
  if (!stream.connection.hostReceives()) {
    return stream.connection.forward(static_cast<std::uint32_t>(payload.size()));
  }
  if (stream.toHost.empty() && stream.host.isOpen() && !payload.empty()) {
    const Result<std::size_t> sent = sendSome(stream.host, payload);
    if (!sent.has_value() && sent.error().remedy() != Remedy::retry) return endHost(stream);
    const std::size_t count = sent.value_or(0);
    stream.connection.forward(static_cast<std::uint32_t>(count));
    payload = payload.subspan(count);
  }
  if (!payload.empty()) stream.toHost.append(payload);
}

// After anything that changed the stream: what follows from how its two sides stand. May drop it.
void Muxer::settle(Stream& stream) {
  const Connection& connection = stream.connection;
  if (connection.guestIsDone()) {
    // The host gets what was sent before (5.10.6.6: then RST answers the SHUTDOWN), if it takes it in time.
    if (!stream.host.isOpen() || stream.toHost.empty()) return dropWithReset(stream);
    startTimer(stream);
  }
  if (stream.host.isOpen() && !connection.guestSends() && stream.toHost.empty() &&
      !std::exchange(stream.sendingStopped, true)) {
    stopSending(stream.host);
  }
  if (stream.host.isOpen() && !connection.guestReceives() && !std::exchange(stream.receivingStopped, true)) {
    stopReceiving(stream.host);
  }
  wake(stream);
  updateInterest(stream);
}

// ---- To and from the host ----

void Muxer::onReady(Ports ports, Ready ready) {
  Stream& stream = streams_.at(ports);
  if (has(ready, Ready::writable) && !stream.toHost.empty()) flush(stream);
  if (has(ready, Ready::readable) && has(stream.interest, Ready::readable)) stream.mayRead = true;
  // What the guest takes at once leaves the watch as it is: to end it and to watch anew is two system calls, on the way
  // of each message.
  if (!stream.connection.guestIsDone()) {
    wake(stream);
    pump();
  }
  if (const auto still = streams_.find(ports); still != streams_.end()) settle(still->second);
  pump();
}

void Muxer::flush(Stream& stream) {
  while (!stream.toHost.empty()) {
    const Result<std::size_t> sent = sendSome(stream.host, stream.toHost.front());
    if (!sent.has_value()) {
      if (sent.error().remedy() != Remedy::retry) endHost(stream);
      return;
    }
    stream.toHost.consume(*sent);
    stream.connection.forward(static_cast<std::uint32_t>(*sent));
  }
}

// The host's side is closed in both directions.
void Muxer::endHost(Stream& stream) {
  if (stream.interest != Ready::none) loop_.unwatch(stream.host);
  stream.interest = Ready::none;
  stream.host.close();
  stream.mayRead = false;
  stream.toHost.clear();
  stream.connection.endHost();
  startTimer(stream);
}

// A socket of which nothing is wanted is not watched at all: epoll tells of a hang-up even to who asked for nothing, at
// every turn.
void Muxer::updateInterest(Stream& stream) {
  const bool read = stream.host.isOpen() && stream.connection.carriesToGuest() && !stream.mayRead;
  const bool write = stream.host.isOpen() && !stream.toHost.empty();
  const Ready wanted = read && write ? Ready::both : read ? Ready::readable : write ? Ready::writable : Ready::none;
  const Ready watched = std::exchange(stream.interest, wanted);
  if (wanted == watched) return;
  if (wanted == Ready::none) return loop_.unwatch(stream.host);
  if (watched != Ready::none) return loop_.setInterest(stream.host, wanted);
  const Ports ports = stream.connection.ports();
  const Status status = loop_.watch(stream.host, wanted, [this, ports](Ready ready) { onReady(ports, ready); });
  if (status.has_value()) return;
  // The host's kernel is out of memory for watches: the stream cannot go on.
  stream.interest = Ready::none;
  endHost(stream);
  wake(stream);
}

// ---- To the guest ----

void Muxer::wake(Stream& stream) {
  if (stream.mayRead && stream.connection.carriesToGuest() && stream.connection.credit() == 0) {
    stream.connection.starve();
  }
  const bool hasData = stream.mayRead && stream.connection.credit() > 0;
  if (stream.isWaiting || (!hasData && !stream.connection.owes())) return;
  stream.isWaiting = true;
  waiting_.push_back(stream.connection.ports());
}

void Muxer::pump() {
  for (std::size_t sent = 0; !resets_.empty() || !waiting_.empty(); ++sent) {
    const std::optional<std::size_t> room = guest_.room();
    if (!room.has_value()) return;
    if (sent == kPacketsPerTurn) return pumpNextTurn();
    if (!resets_.empty()) {
      deliverReset();
      continue;
    }
    Stream& stream = streams_.at(waiting_.front());
    waiting_.pop_front();
    stream.isWaiting = false;
    serve(stream, *room);
  }
}

// A guest that refills as fast as it is sent to must not keep the loop from its other devices.
void Muxer::pumpNextTurn() {
  if (nextTurn_ != 0) return;
  nextTurn_ = loop_.at(std::chrono::steady_clock::now(), [this] {
    nextTurn_ = 0;
    guest_.onNextTurn();
  });
}

void Muxer::deliverReset() {
  const PendingReset reset = resets_.front();
  resets_.pop_front();
  count(counters_.resetsSent);
  deliver({.sourceCid = kHostCid,
           .destinationCid = guestCid_,
           .sourcePort = reset.ports.hostPort,
           .destinationPort = reset.ports.guestPort,
           .type = reset.type,
           .operation = std::to_underlying(Operation::reset)});
}

// One packet of the stream, then it queues behind the others.
void Muxer::serve(Stream& stream, std::size_t room) {
  // A buffer without room for payload is used up by telling our credit, so that the next one gets its turn.
  if (room == 0 && !stream.connection.owes()) stream.connection.oweCreditUpdate();
  if (const std::optional<Header> owed = stream.connection.takeOwed(guestCid_); owed.has_value()) {
    deliver(*owed);
  } else if (stream.mayRead && stream.connection.credit() > 0) {
    readFromHost(stream, room);
  }
  settle(stream);
}

void Muxer::readFromHost(Stream& stream, std::size_t room) {
  std::array<std::byte, kMaxPayloadToGuest> bytes;
  const std::size_t most = std::min({room, bytes.size(), std::size_t{stream.connection.credit()}});
  const auto arrived = readSome(stream.host, std::span(bytes).first(most));
  if (!arrived.has_value()) {
    stream.mayRead = false;
    if (arrived.error().remedy() != Remedy::retry) endHost(stream);
    return;
  }
  if (*arrived == 0) {
    stream.mayRead = false;
    if (isHungUp(stream.host)) return endHost(stream);
    return stream.connection.endHostSending();
  }
  // Less than asked for: the socket is empty, and epoll will tell when it isn't.
  if (*arrived < most) stream.mayRead = false;
  const auto payload = std::span(bytes).first(*arrived);
  count(counters_.bytesToGuest, payload.size());
  deliver(stream.connection.dataPacket(guestCid_, static_cast<std::uint32_t>(payload.size())), payload);
}

void Muxer::deliver(const Header& header, std::span<const std::byte> payload) {
  count(counters_.packetsToGuest);
  guest_.deliver(header, payload);
}

}  // namespace qm::vsock
