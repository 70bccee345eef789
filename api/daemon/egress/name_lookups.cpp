#include "api/daemon/egress/name_lookups.h"

#include <mutex>
#include <system_error>
#include <thread>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

namespace qm {

namespace asio = boost::asio;

struct NameLookups::Home {
  std::mutex mutex;                // protects what follows
  NameLookups* lookups = nullptr;  // null: they have ended, and their executor may have, too
};

NameLookups::NameLookups(asio::any_io_executor executor, NameResolver resolve, std::chrono::milliseconds limit)
    : executor_(std::move(executor)),
      resolve_(std::move(resolve)),
      limit_(limit),
      turns_(executor_, kMostAtOnce, kMostInLine),
      home_(std::make_shared<Home>()) {
  home_->lookups = this;
}

NameLookups::~NameLookups() {
  const std::lock_guard lock(home_->mutex);
  home_->lookups = nullptr;
}

// Detached: to join one would be to wait for a name server.
bool NameLookups::start(const std::string& name, Place place) {
  try {
    std::thread([name, place, resolve = resolve_, home = home_] {
      Result<std::vector<std::string>> found = resolve(name);
      const std::lock_guard lock(home->mutex);
      if (home->lookups == nullptr) return;
      asio::post(home->lookups->executor_, [all = home->lookups, place, found = std::move(found)]() mutable {
        all->cameBack(place, std::move(found));
      });
    }).detach();
    return true;
  } catch (const std::system_error&) {
    return false;
  }
}

void NameLookups::cameBack(Place place, Result<std::vector<std::string>> found) {
  place->ofVm->giveBack();
  turns_.giveBack();
  if (place->isGivenUp) {
    underWay_.erase(place);
    return;
  }
  place->found.emplace(std::move(found));
  place->patience.cancel();
}

asio::awaitable<NameLookups::Found> NameLookups::find(std::string name, std::shared_ptr<Turns> ofVm) {
  const auto deadline = std::chrono::steady_clock::now() + limit_;
  const auto refused = [&name] {
    return std::unexpected(EgressVerdict{.status = 503, .why = fmt::format("too many names are looked up: {}", name)});
  };
  if (!co_await ofVm->take(deadline)) co_return refused();
  const bool hasTurn = co_await turns_.take(deadline);
  if (hasTurn && !ofVm->hasEnded()) co_return co_await findInTurn(std::move(name), std::move(ofVm), deadline);
  if (hasTurn) turns_.giveBack();
  ofVm->giveBack();
  co_return refused();
}

asio::awaitable<NameLookups::Found> NameLookups::findInTurn(std::string name, std::shared_ptr<Turns> ofVm,
                                                            std::chrono::steady_clock::time_point deadline) {
  const auto place = underWay_.emplace(underWay_.end(), asio::steady_timer(executor_, deadline), std::move(ofVm));
  if (!start(name, place)) {
    place->isGivenUp = true;
    cameBack(place, std::vector<std::string>());
    co_return std::unexpected(EgressVerdict{.status = 503, .why = "there is no thread to look a name up with"});
  }
  boost::system::error_code ignored;
  co_await place->patience.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  if (!place->found) {
    place->isGivenUp = true;
    co_return std::unexpected(EgressVerdict{.status = 504, .why = fmt::format("{} was not found in time", name)});
  }
  Result<std::vector<std::string>> found = *std::move(place->found);
  underWay_.erase(place);
  if (!found.has_value()) co_return std::unexpected(EgressVerdict{.status = 502, .why = found.error().text()});
  co_return *std::move(found);
}

}  // namespace qm
