// So many at once; the next wait for their turn, in order. For name_lookups.cpp and conversation.cpp only: it shows
// Asio.
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <utility>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

namespace qm {

// On its executor's thread, but for its making.
class Turns {
 public:
  Turns(boost::asio::any_io_executor executor, std::size_t atOnce, std::size_t mostInLine)
      : executor_(std::move(executor)), free_(atOnce), mostInLine_(mostInLine) {}

  // False: the turn did not come before the deadline or the end, or too many stand in line. It outlives this call.
  boost::asio::awaitable<bool> take(std::chrono::steady_clock::time_point deadline);
  // What take() gave; by a call and not by a destructor, since a coroutine that is dropped unfinished, with its
  // executor, may come after this.
  void giveBack();
  // Who stands in line leaves, and nobody gets a turn from here on.
  void end();
  bool hasEnded() const { return hasEnded_; }

 private:
  struct Waiting {
    boost::asio::steady_timer timer;  // cancelled when its turn has come
    bool hasTurn = false;
  };

  boost::asio::any_io_executor executor_;
  std::size_t free_;
  const std::size_t mostInLine_;
  std::list<Waiting> line_;
  bool hasEnded_ = false;
};

}  // namespace qm
