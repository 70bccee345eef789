// Links, addresses and neighbours of the calling process's network namespace (rtnetlink(7)): requests that are
// collected and sent at once, each acknowledged by the kernel. Needs CAP_NET_ADMIN there.
// Modelled: what a network slot needs. Not modelled: dumps, events, anything of IPv6.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "vmm/network/slot_address.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/result/result.h"

namespace qm::network {

class RouteRequests {
 public:
  // Its MAC, and that ARP answers only who can be reached by a route: other senders do not become its neighbours.
  RouteRequests& describe(std::uint32_t link, const Mac& mac);
  RouteRequests& bringUp(std::uint32_t link);
  RouteRequests& addAddress(std::uint32_t link, std::uint32_t address, std::uint8_t prefixBits);
  // A neighbour that need not be asked for its MAC.
  RouteRequests& addNeighbour(std::uint32_t link, std::uint32_t address, const Mac& mac);

  // All of them, in one message; the first that the kernel refuses is the error, and names its step.
  Status send() const;

 private:
  std::size_t begin(std::uint16_t type, std::uint16_t flags, std::string step);
  void put(std::span<const std::byte> bytes);
  void attribute(std::uint16_t type, std::span<const std::byte> value);
  void end(std::size_t start);
  Status acknowledged(const FileDescriptor& socket) const;

  std::vector<std::byte> bytes_;
  std::vector<std::string> steps_;  // one for each request, whose sequence number is its place
};

}  // namespace qm::network
