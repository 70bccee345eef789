// One connection of a guest to the proxy: its request, the judgement, the connection out, the bytes. For
// egress_proxy.cpp only: it shows Asio.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>

#include "api/daemon/egress/egress_proxy.h"
#include "api/daemon/egress/name_lookups.h"
#include "api/daemon/egress/turns.h"
#include "api/daemon/egress/verdict.h"
#include "pool/network/destination.h"
#include "vmm/log/log.h"

namespace qm {

// What all conversations of a daemon count. Read from any thread.
struct EgressTally {
  std::atomic<std::uint64_t> connected{0}, refused{0}, failed{0};
};

class Conversation {
 public:
  using Tcp = boost::asio::ip::tcp;

  Conversation(Tcp::socket guest, EgressProxy::Gate& gate);
  Conversation(const Conversation&) = delete;
  Conversation& operator=(const Conversation&) = delete;

  // The gate outlives it. Does not throw.
  boost::asio::awaitable<void> run();
  // It ends soon.
  void cut();

 private:
  boost::asio::awaitable<std::string> readTarget();
  boost::asio::awaitable<EgressVerdict> connect(const std::string& target);
  boost::asio::awaitable<EgressVerdict> connectTo(const pool::Destination& wanted);
  boost::asio::awaitable<void> answer(const EgressVerdict& verdict);

  EgressProxy::Gate& gate_;
  Tcp::socket guest_;
  Tcp::socket outside_;
  boost::beast::flat_buffer buffer_;
  bool cut_ = false;
};

// One slot's proxy. On the proxy's thread, but for its making.
struct EgressProxy::Gate : std::enable_shared_from_this<EgressProxy::Gate> {
  Gate(Conversation::Tcp::acceptor acceptorOfSlot, std::vector<pool::Destination> destinations, std::string_view name,
       NameLookups& names, EgressTally& counters, const Log& where)
      : acceptor(std::move(acceptorOfSlot)),
        list(std::move(destinations)),
        vm(name),
        lookups(names),
        tally(counters),
        log(where),
        room(acceptor.get_executor()),
        turns(std::make_shared<Turns>(acceptor.get_executor(), NameLookups::kMostOfVm, kMostConversations)) {}

  boost::asio::awaitable<void> serve();
  void cut();
  // Counts, and tells the log unless it did within the last second.
  void refused(const std::string& why);

  Conversation::Tcp::acceptor acceptor;
  const std::vector<pool::Destination> list;
  const std::string vm;
  NameLookups& lookups;
  EgressTally& tally;
  const Log& log;
  boost::asio::steady_timer room;      // cancelled when a conversation has ended
  const std::shared_ptr<Turns> turns;  // of its names; look-ups that nobody waits for have it, too
  std::list<Conversation> conversations;
  bool isCut = false;
  std::chrono::steady_clock::time_point lastTold;
  std::uint64_t untold = 0;
};

}  // namespace qm
