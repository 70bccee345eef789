#include "api/daemon/egress/egress_proxy.h"

#include <exception>
#include <thread>
#include <utility>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/daemon/egress/conversation.h"
#include "api/daemon/egress/name_lookups.h"

namespace qm {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Tcp = asio::ip::tcp;

}  // namespace

asio::awaitable<void> EgressProxy::Gate::serve() {
  const std::shared_ptr<Gate> self = shared_from_this();
  while (!isCut) {
    error_code failure;
    const auto into = [&failure] { return asio::redirect_error(asio::use_awaitable, failure); };
    if (conversations.size() >= kMostConversations) {
      room.expires_at(std::chrono::steady_clock::time_point::max());
      co_await room.async_wait(into());
      continue;
    }
    Tcp::socket guest = co_await acceptor.async_accept(into());
    if (isCut) co_return;
    if (failure) {
      // Too many open files, most likely.
      room.expires_after(std::chrono::milliseconds(100));
      co_await room.async_wait(into());
      continue;
    }
    conversations.emplace_front(std::move(guest), *this);
    const auto place = conversations.begin();
    asio::co_spawn(acceptor.get_executor(), place->run(), [self, place](const std::exception_ptr&) {
      self->conversations.erase(place);
      self->room.cancel();
    });
  }
}

class EgressProxy::Inside {
 public:
  Inside(Log where, EgressSettings settings)
      : log(std::move(where)),
        lookups(context.get_executor(), std::move(settings.resolve), settings.lookupLimit),
        thread([this] { context.run(); }) {}
  ~Inside() { context.stop(); }

  Log log;
  EgressTally tally;
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  NameLookups lookups;
  std::jthread thread;  // last: it runs the context
};

EgressProxy::EgressProxy(Log log, EgressSettings settings)
    : inside_(std::make_unique<Inside>(std::move(log), std::move(settings))) {}
EgressProxy::~EgressProxy() = default;

EgressProxy::Way::~Way() {
  if (gate_ == nullptr) return;
  // An executor of its own: what is posted may be the last that has the gate.
  const auto executor = gate_->acceptor.get_executor();
  asio::post(executor, [gate = std::move(gate_)] { gate->cut(); });
}

Result<EgressProxy::Way> EgressProxy::open(FileDescriptor listener, std::vector<pool::Destination> list,
                                           std::string_view vm) {
  Tcp::acceptor acceptor(inside_->context);
  error_code failure;
  (void)acceptor.assign(Tcp::v4(), listener.get(), failure);
  if (failure) return Error(Remedy::giveUp, "listening in a network slot: " + failure.message());
  listener.release();
  auto gate =
      std::make_shared<Gate>(std::move(acceptor), std::move(list), vm, inside_->lookups, inside_->tally, inside_->log);
  asio::post(inside_->context,
             [gate] { asio::co_spawn(gate->acceptor.get_executor(), gate->serve(), asio::detached); });
  return Way(std::move(gate));
}

EgressCounts EgressProxy::counts() const {
  return {.connected = inside_->tally.connected, .refused = inside_->tally.refused, .failed = inside_->tally.failed};
}

}  // namespace qm
