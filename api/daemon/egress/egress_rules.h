// What a guest may connect to: values and their judgement, without a socket.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include <boost/asio/ip/address.hpp>

#include "pool/network/destination.h"
#include "vmm/result/result.h"

namespace qm {

// The destination that a CONNECT's target names, if the list has it, by its very host and port. fixInput: it has not,
// or the target is none; the sentence is for the log.
Result<pool::Destination> permitted(const std::vector<pool::Destination>& list, std::string_view target);

// Whether the list has this very address with this port.
bool isListed(const std::vector<pool::Destination>& list, const boost::asio::ip::address& address, std::uint16_t port);

// Whether an address is anybody's on the Internet: none that is private, loopback, link-local, multicast, reserved, or
// that carries another address in it (IANA's special-purpose registries, RFC 6890). A name in a list leads to these
// only, as far as they are not this host's (api/daemon/egress/own_address.h), and to addresses that the list has
// itself: else whoever answers for the name could point it at this host or its neighbours.
bool isPublic(const boost::asio::ip::address& address);

}  // namespace qm
