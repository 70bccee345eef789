#include "api/daemon/egress/turns.h"

#include <algorithm>

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

namespace qm {

namespace asio = boost::asio;

asio::awaitable<bool> Turns::take(std::chrono::steady_clock::time_point deadline) {
  if (hasEnded_) co_return false;
  if (free_ > 0) {
    --free_;
    co_return true;
  }
  if (line_.size() >= mostInLine_) co_return false;
  const auto place = line_.emplace(line_.end(), asio::steady_timer(executor_, deadline));
  boost::system::error_code ignored;
  co_await place->timer.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  const bool hasTurn = place->hasTurn;
  line_.erase(place);
  co_return hasTurn;
}

void Turns::giveBack() {
  // Who has a turn already and still stands there is about to leave.
  const auto next = std::ranges::find(line_, false, &Waiting::hasTurn);
  if (hasEnded_ || next == line_.end()) {
    ++free_;
    return;
  }
  next->hasTurn = true;
  next->timer.cancel();
}

void Turns::end() {
  hasEnded_ = true;
  for (Waiting& one : line_) one.timer.cancel();
}

}  // namespace qm
