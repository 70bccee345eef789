#include "api/daemon/network/guest_link.h"

#include <sys/socket.h>

#include <chrono>
#include <utility>

#include <fmt/format.h>

#include "vmm/network/slot.h"
#include "vmm/os/writable_watch.h"

namespace qm {

Status GuestLink::open(const pool::GuestNetwork& network, std::string_view vm) {
  slot_.emplace(TRY(networks_.slots.take().during("getting a network slot")));
  if (network.egress.empty()) return {};
  FileDescriptor listener = TRY(slot_->openSocket(network::SlotSocket::fromGuest).during("opening the way out"));
  way_.emplace(TRY(networks_.proxy.open(std::move(listener), network.egress, vm)));
  return {};
}

// Before it is connected, so that cut() finds it.
Status GuestLink::keep(const pool::GuestConnection& connection) {
  const std::lock_guard lock(mutex_);
  if (cut_) return Error(Remedy::giveUp, "the VM has ended");
  std::erase_if(connections_, [](const auto& one) { return one.expired(); });
  if (connections_.size() >= pool::kMostConnections) {
    return Error(Remedy::retry,
                 fmt::format("there are {} connections to this guest, and no more at once", pool::kMostConnections));
  }
  connections_.push_back(connection);
  return {};
}

bool GuestLink::isCut() {
  const std::lock_guard lock(mutex_);
  return cut_;
}

class GuestLink::Connecting final : public pool::Awaited<pool::GuestConnection> {
 public:
  Connecting(GuestLink& link, pool::GuestConnection connection, WritableWatch decided, pool::Deadline deadline)
      : link_(link), connection_(std::move(connection)), decided_(std::move(decided)), deadline_(deadline) {}

  const FileDescriptor& file() const override { return decided_.file(); }
  pool::Deadline deadline() const override { return deadline_; }
  std::optional<Result<pool::GuestConnection>> take() override {
    if (decided_.isWritable()) return outcome();
    if (std::chrono::steady_clock::now() < deadline_) return std::nullopt;
    return Error(Remedy::retry, "the guest did not answer in time");
  }

 private:
  Result<pool::GuestConnection> outcome() {
    TRY(network::connectingEnded(*connection_));
    // Cut before it was connected, shutting it down did nothing.
    if (link_.isCut()) return Error(Remedy::giveUp, "the VM has ended");
    return connection_;
  }

  GuestLink& link_;
  pool::GuestConnection connection_;
  WritableWatch decided_;  // before the connection: it watches that
  pool::Deadline deadline_;
};

Result<std::unique_ptr<pool::Awaited<pool::GuestConnection>>> GuestLink::beginConnect(std::uint16_t port,
                                                                                      pool::Deadline deadline) {
  if (!slot_) return Error(Remedy::fixInput, "the guest has no network: its template's \"net\" is none");
  auto connection = std::make_shared<const FileDescriptor>(TRY(slot_->openSocket(network::SlotSocket::toGuest)));
  TRY(keep(connection));
  TRY(network::beginConnecting(*connection, port));
  WritableWatch decided = TRY(WritableWatch::create(*connection));
  return std::make_unique<Connecting>(*this, std::move(connection), std::move(decided), deadline);
}

// By a reset: no guest is there any more to acknowledge an end, and a connection that waits for it would keep the
// slot's namespace for a minute or two.
void GuestLink::cut() {
  const std::lock_guard lock(mutex_);
  cut_ = true;
  way_.reset();
  for (const auto& one : connections_) {
    const auto connection = one.lock();
    if (connection == nullptr) continue;
    constexpr linger kByReset{.l_onoff = 1, .l_linger = 0};
    (void)::setsockopt(connection->get(), SOL_SOCKET, SO_LINGER, &kByReset, sizeof kByReset);
    (void)::shutdown(connection->get(), SHUT_RDWR);
  }
  connections_.clear();
}

}  // namespace qm
