// A connection to whichever of some addresses answers. For conversation.cpp only: it shows Asio.
#pragma once

#include <chrono>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace qm {

// In their order, until one answers. All together have `limit`: each has an equal part of what is left, so that one
// that is silent leaves time for the others. Beyond the first eight none is tried, as that part would be too short.
// The error is the last one's; asio::error::timed_out: it was silent. Closing the socket ends it, with an error.
boost::asio::awaitable<boost::system::error_code> connectToOneOf(boost::asio::ip::tcp::socket& socket,
                                                                 std::vector<boost::asio::ip::tcp::endpoint> endpoints,
                                                                 std::chrono::milliseconds limit);

}  // namespace qm
