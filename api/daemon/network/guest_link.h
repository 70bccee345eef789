// The network of one VM as its daemon holds it: the slot, the connections through it and, if the template has a list,
// the way out of it. It is nothing until open().
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string_view>
#include <vector>

#include "api/daemon/egress/egress_proxy.h"
#include "api/daemon/network/network_slots.h"
#include "pool/network/guest_network.h"
#include "pool/vm/vm_process.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm {

// What all VMs of a daemon share; it outlives every link.
struct GuestNetworks {
  NetworkSlots& slots;
  EgressProxy& proxy;
};

// Threads: open() and tapGiven() by one, before beginConnect(); beginConnect() and cut() by any.
class GuestLink {
 public:
  explicit GuestLink(GuestNetworks networks) : networks_(networks) {}
  GuestLink(const GuestLink&) = delete;
  GuestLink& operator=(const GuestLink&) = delete;
  ~GuestLink() { cut(); }

  const GuestNetworks& networks() const { return networks_; }

  // Takes a slot, and opens the proxy in it if there is anything that the guest may reach. `vm` is for the log.
  Status open(const pool::GuestNetwork& network, std::string_view vm);
  bool isOpen() const { return slot_.has_value(); }
  // For the VMM, which is to have it alone: tapGiven() closes ours.
  const FileDescriptor& tap() const { return slot_->tap(); }
  void tapGiven() { slot_->closeTap(); }

  // The socket is made while the caller waits; what it comes to is awaited. This outlives it.
  Result<std::unique_ptr<pool::Awaited<pool::GuestConnection>>> beginConnect(std::uint16_t port,
                                                                             pool::Deadline deadline);
  // Ends every connection, either way, and takes no more. Idempotent.
  void cut();

 private:
  class Connecting;
  Status keep(const pool::GuestConnection& connection);
  bool isCut();

  GuestNetworks networks_;
  std::optional<NetworkSlot> slot_;
  std::mutex mutex_;  // protects what follows
  bool cut_ = false;
  std::vector<std::weak_ptr<const FileDescriptor>> connections_;
  std::optional<EgressProxy::Way> way_;
};

}  // namespace qm
