// Names looked up for guests, so many at once that none waits for another's slow one. For egress_proxy.cpp and
// conversation.cpp only: it shows Asio.
//
// A resolver that waits for a name server cannot be stopped, so each look-up has a thread, and there are few: a VM has
// kMostOfVm at most, what else it asks for waits behind these; over all VMs there are kMostAtOnce, and kMostInLine wait
// for a place among them. One that is given up keeps both its places until its resolver comes back.
#pragma once

#include <chrono>
#include <cstddef>
#include <expected>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "api/daemon/egress/name_resolver.h"
#include "api/daemon/egress/turns.h"
#include "api/daemon/egress/verdict.h"

namespace qm {

// On its executor's thread, but for its making and its end. It outlives nobody who still uses the executor's thread.
class NameLookups {
 public:
  static constexpr std::size_t kMostOfVm = 2;
  static constexpr std::size_t kMostAtOnce = 16;
  static constexpr std::size_t kMostInLine = 64;

  // `limit`: of one look-up, with its time in line.
  NameLookups(boost::asio::any_io_executor executor, NameResolver resolve, std::chrono::milliseconds limit);
  // Resolvers that have not come back are left alone, and come back to nobody.
  ~NameLookups();
  NameLookups(const NameLookups&) = delete;
  NameLookups& operator=(const NameLookups&) = delete;

  using Found = std::expected<std::vector<std::string>, EgressVerdict>;
  // 502: there is none; 503: no place was free in time; 504: the resolver took too long. `ofVm`: those of the VM.
  boost::asio::awaitable<Found> find(std::string name, std::shared_ptr<Turns> ofVm);

 private:
  struct UnderWay {
    boost::asio::steady_timer patience;  // cancelled when the resolver has come back
    std::shared_ptr<Turns> ofVm;
    std::optional<Result<std::vector<std::string>>> found;
    bool isGivenUp = false;
  };
  using Place = std::list<UnderWay>::iterator;
  // By which resolvers' threads come back.
  struct Home;

  // False: the host has no thread to spare.
  bool start(const std::string& name, Place place);
  void cameBack(Place place, Result<std::vector<std::string>> found);
  boost::asio::awaitable<Found> findInTurn(std::string name, std::shared_ptr<Turns> ofVm,
                                           std::chrono::steady_clock::time_point deadline);

  boost::asio::any_io_executor executor_;
  const NameResolver resolve_;
  const std::chrono::milliseconds limit_;
  Turns turns_;
  std::list<UnderWay> underWay_;
  std::shared_ptr<Home> home_;
};

}  // namespace qm
