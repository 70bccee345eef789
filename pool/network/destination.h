// Where a guest may connect to, as a template's recipe lists it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "vmm/result/result.h"

namespace qm::pool {

struct Destination {
  // A name in lower case, or an address in its shortest form, without brackets: two that mean one host by one spelling
  // are equal, and no name is taken for an address.
  std::string host;
  std::uint16_t port = 0;  // 1 to 65535
  bool operator==(const Destination&) const = default;
};

// "example.org:443", "192.0.2.7:443", "[2001:db8::1]:443". fixInput: it is none of these.
Result<Destination> destinationFrom(std::string_view text);
std::string textOf(const Destination& destination);

// Whether the host is an address, not a name.
bool isAddress(const Destination& destination);

}  // namespace qm::pool
