#include "api/daemon/egress/conversation.h"

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "api/daemon/egress/connecting.h"
#include "api/daemon/egress/egress_rules.h"
#include "api/daemon/egress/own_address.h"
#include "api/relay/relay.h"

namespace qm {

namespace {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;
using Tcp = asio::ip::tcp;
using namespace std::chrono_literals;

constexpr auto kPatience = 10s;
constexpr auto kIdleLimit = 5min;
constexpr std::uint32_t kLongestRequest = 8192;

auto into(error_code& failure) {
  return asio::redirect_error(asio::use_awaitable, failure);
}

// What it waits for is cancelled when it takes too long.
asio::awaitable<void> patience(asio::any_io_executor executor) {
  asio::steady_timer timer(executor, kPatience);
  error_code ignored;
  co_await timer.async_wait(into(ignored));
}

}  // namespace

Conversation::Conversation(Tcp::socket guest, EgressProxy::Gate& gate)
    : gate_(gate), guest_(std::move(guest)), outside_(guest_.get_executor()) {}

void Conversation::cut() {
  cut_ = true;
  error_code ignored;
  (void)guest_.close(ignored);
  (void)outside_.close(ignored);
}

// Empty: it asked nothing that this proxy knows, or nothing in time.
asio::awaitable<std::string> Conversation::readTarget() {
  using namespace asio::experimental::awaitable_operators;
  http::request_parser<http::empty_body> parser;
  parser.header_limit(kLongestRequest);
  error_code failure;
  co_await (http::async_read_header(guest_, buffer_, parser, into(failure)) || patience(guest_.get_executor()));
  if (failure || !parser.is_header_done() || parser.get().method() != http::verb::connect) co_return std::string();
  co_return std::string(parser.get().target());
}

asio::awaitable<EgressVerdict> Conversation::connect(const std::string& target) {
  if (target.empty()) co_return EgressVerdict{.status = 403, .why = "this proxy takes CONNECT only"};
  Result<pool::Destination> wanted = permitted(gate_.list, target);
  if (!wanted.has_value()) co_return EgressVerdict{.status = 403, .why = wanted.error().text()};
  co_return co_await connectTo(*wanted);
}

asio::awaitable<EgressVerdict> Conversation::connectTo(const pool::Destination& wanted) {
  std::vector<Tcp::endpoint> endpoints;
  error_code failure;
  if (isAddress(wanted)) {
    // Listed itself, so that whoever wrote the list meant it, wherever it leads.
    endpoints.emplace_back(asio::ip::make_address(wanted.host), wanted.port);
  } else {
    const NameLookups::Found found = co_await gate_.lookups.find(wanted.host, gate_.turns);
    if (!found.has_value()) co_return found.error();
    for (const std::string& one : *found) {
      const auto address = asio::ip::make_address(one, failure);
      if (failure) continue;
      if (isListed(gate_.list, address, wanted.port) || (isPublic(address) && !isOwnAddress(address)))
        endpoints.emplace_back(address, wanted.port);
    }
    if (endpoints.empty()) {
      co_return EgressVerdict{.status = 403,
                              .why = fmt::format("{} leads to no public address beyond this host", textOf(wanted))};
    }
  }
  if (cut_) co_return EgressVerdict{.status = 502, .why = "the VM has ended"};
  failure = co_await connectToOneOf(outside_, std::move(endpoints), kPatience);
  if (failure == asio::error::timed_out) co_return EgressVerdict{.status = 504, .why = failure.message()};
  if (failure) co_return EgressVerdict{.status = 502, .why = failure.message()};
  co_return EgressVerdict{};
}

asio::awaitable<void> Conversation::answer(const EgressVerdict& verdict) {
  const std::string text =
      verdict.status == 200
          ? "HTTP/1.1 200 Connection established\r\n\r\n"
          : fmt::format("HTTP/1.1 {} {}\r\n{}Connection: close\r\nContent-Length: 0\r\n\r\n", verdict.status,
                        std::string_view(http::obsolete_reason(http::int_to_status(verdict.status))),
                        verdict.status == 503 ? "Retry-After: 1\r\n" : "");
  error_code ignored;
  co_await asio::async_write(guest_, asio::buffer(text), into(ignored));
}

asio::awaitable<void> Conversation::run() {
  const std::string target = co_await readTarget();
  const EgressVerdict verdict = co_await connect(target);
  if (cut_) co_return;
  if (verdict.status == 403) gate_.refused(verdict.why);
  if (verdict.status >= 502) ++gate_.tally.failed;
  co_await answer(verdict);
  if (verdict.status != 200) {
    error_code ignored;
    (void)guest_.shutdown(asio::socket_base::shutdown_send, ignored);
    co_return;
  }
  ++gate_.tally.connected;
  co_await relay(guest_, outside_, kIdleLimit, buffer_.cdata());
}

void EgressProxy::Gate::refused(const std::string& why) {
  ++tally.refused;
  const auto now = std::chrono::steady_clock::now();
  if (now - lastTold < 1s) {
    ++untold;
    return;
  }
  log.warning("egress.refused", {{"vm", vm}, {"why", why}, {"untold_before", untold}});
  lastTold = now;
  untold = 0;
}

void EgressProxy::Gate::cut() {
  isCut = true;
  error_code ignored;
  (void)acceptor.close(ignored);
  room.cancel();
  turns->end();
  for (Conversation& conversation : conversations) conversation.cut();
}

}  // namespace qm
