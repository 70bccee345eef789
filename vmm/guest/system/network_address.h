// Addresses as people write them and as the kernel takes them.
#pragma once

#include <array>
#include <cstdint>
#include <string>

#include "vmm/result/result.h"

namespace qm::guest {

using MacAddress = std::array<std::uint8_t, 6>;

// "02:00:00:00:00:01", of one station: a multicast address cannot be an interface's.
Result<MacAddress> parseMac(const std::string& text);

struct Ipv4Network {
  std::uint32_t address = 0;  // in the network's byte order, as in_addr
  std::uint32_t mask = 0;
  bool operator==(const Ipv4Network&) const = default;
};
// "10.0.0.2/24".
Result<Ipv4Network> parseNetwork(const std::string& text);
// "10.0.0.1", in the network's byte order.
Result<std::uint32_t> parseIpv4(const std::string& text);

}  // namespace qm::guest
