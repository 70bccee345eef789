// Whether an address is this host's.
#pragma once

#include <boost/asio/ip/address.hpp>

namespace qm {

// Whether what is sent to it from the calling thread's network namespace would arrive in that namespace: it is an
// interface's address, a broadcast there, or routed here by other means (rtnetlink(7), RTM_GETROUTE). Also where the
// kernel does not say, as amid too many open files. An address that a router in front translates to this host's is not
// seen.
bool isOwnAddress(const boost::asio::ip::address& address);

}  // namespace qm
