#include "api/daemon/egress/connecting.h"

#include <algorithm>

#include <boost/asio/error.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace qm {

namespace asio = boost::asio;
using boost::system::error_code;

asio::awaitable<error_code> connectToOneOf(asio::ip::tcp::socket& socket,
                                           std::vector<asio::ip::tcp::endpoint> endpoints,
                                           std::chrono::milliseconds limit) {
  using namespace asio::experimental::awaitable_operators;
  constexpr std::size_t kMostTried = 8;
  constexpr std::size_t kTimeIsOver = 1;  // of the two that are waited for
  endpoints.resize(std::min(endpoints.size(), kMostTried));
  const auto deadline = std::chrono::steady_clock::now() + limit;
  error_code failure = asio::error::timed_out;
  for (std::size_t i = 0; i < endpoints.size(); ++i) {
    const auto now = std::chrono::steady_clock::now();
    asio::steady_timer timer(socket.get_executor(), now + (deadline - now) / static_cast<int>(endpoints.size() - i));
    error_code ignored;
    (void)socket.close(ignored);
    const auto first =
        co_await (socket.async_connect(endpoints[i], asio::redirect_error(asio::use_awaitable, failure)) ||
                  timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored)));
    if (first.index() == kTimeIsOver) {
      failure = asio::error::timed_out;
    } else if (!failure || failure == asio::error::operation_aborted) {
      break;
    }
  }
  co_return failure;
}

}  // namespace qm
