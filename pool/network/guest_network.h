// The network of a template's guests.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "pool/network/destination.h"

namespace qm::pool {

enum class NetworkKind : std::uint8_t {
  none,  // no network device
  slot,  // one, in a network slot of its own (vmm/network/slot.h)
};

constexpr std::string_view name(NetworkKind kind) {
  return kind == NetworkKind::slot ? "slot" : "none";
}

struct GuestNetwork {
  NetworkKind kind = NetworkKind::none;
  std::vector<Destination> egress;  // what guests may connect to, by the slot's proxy; of a slot only
  bool operator==(const GuestNetwork&) const = default;
};

inline constexpr std::size_t kMostDestinations = 256;

}  // namespace qm::pool
