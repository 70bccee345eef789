// Bytes between two stream sockets, both ways.
//
// One side's end of sending is passed on, and the other may go on for as long as it likes: a half-closed connection is
// as good through here as directly. An error of either side, or `idleLimit` without a byte either way, ends both.
// Each direction holds one buffer and reads no more until what it has is written: a slow receiver slows its sender.
//
// Threads: the sockets' executor is one thread, or a strand.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/socket_base.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>

namespace qm {

inline constexpr std::size_t kRelayBytes = std::size_t{16} * 1024;

// One relay's sockets and when a byte last came by. Neither socket is owned.
template <class One, class Other>
struct RelayEnds {
  One& one;
  Other& other;
  std::chrono::steady_clock::time_point lastUsed = std::chrono::steady_clock::now();

  // What waits on them ends with an error.
  void close() {
    boost::system::error_code ignored;
    (void)one.close(ignored);
    (void)other.close(ignored);
  }
};

template <class Ends, class From, class To>
boost::asio::awaitable<void> relayOneWay(Ends& ends, From& from, To& to) {
  std::array<std::byte, kRelayBytes>
      buffer;  // NOLINT(cppcoreguidelines-pro-type-member-init): read before it is written
  boost::system::error_code failure;
  const auto into = [&failure] { return boost::asio::redirect_error(boost::asio::use_awaitable, failure); };
  while (!failure) {
    const std::size_t count = co_await from.async_read_some(boost::asio::buffer(buffer), into());
    if (failure) break;
    ends.lastUsed = std::chrono::steady_clock::now();
    co_await boost::asio::async_write(to, boost::asio::buffer(buffer.data(), count), into());
    ends.lastUsed = std::chrono::steady_clock::now();
  }
  if (failure == boost::asio::error::eof) {
    boost::system::error_code gone;
    to.shutdown(boost::asio::socket_base::shutdown_send, gone);
    if (!gone) co_return;
  }
  ends.close();
}

template <class Ends>
boost::asio::awaitable<void> closeWhenIdle(Ends& ends, std::chrono::milliseconds idleLimit) {
  boost::asio::steady_timer timer(ends.one.get_executor());
  for (;;) {
    timer.expires_at(ends.lastUsed + idleLimit);
    boost::system::error_code cancelled;
    co_await timer.async_wait(boost::asio::redirect_error(boost::asio::use_awaitable, cancelled));
    if (cancelled) co_return;
    if (std::chrono::steady_clock::now() - ends.lastUsed < idleLimit) continue;
    ends.close();
    co_return;
  }
}

// Until both directions have ended. Both sockets outlive it. `said` is what `one` was heard to say before, and goes
// first; no limit of time holds for that.
template <class One, class Other>
boost::asio::awaitable<void> relay(One& one, Other& other, std::chrono::milliseconds idleLimit,
                                   boost::asio::const_buffer said = {}) {
  boost::system::error_code failure;
  if (said.size() > 0)
    co_await boost::asio::async_write(other, said, boost::asio::redirect_error(boost::asio::use_awaitable, failure));
  if (failure) co_return;
  using namespace boost::asio::experimental::awaitable_operators;
  RelayEnds<One, Other> ends{.one = one, .other = other};
  co_await ((relayOneWay(ends, one, other) && relayOneWay(ends, other, one)) || closeWhenIdle(ends, idleLimit));
}

}  // namespace qm
