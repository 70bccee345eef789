// One connection: requests in, answers out, until either side has enough. For server.cpp only: it shows Beast.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/basic_stream.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "api/daemon/rest/message.h"
#include "api/daemon/rest/problem.h"
#include "api/daemon/rest/router.h"
#include "api/relay/relay.h"
#include "vmm/os/file_descriptor.h"
#include "vmm/version/version.h"

namespace qm {

namespace http = boost::beast::http;

using HttpRequest = http::request<http::string_body>;
using HttpResponse = http::response<http::string_body>;

rest::Request requestOf(HttpRequest&& message);
HttpResponse httpOf(rest::Response&& response, unsigned version, bool keepAlive);
// What a request that could not be read is answered; none: the peer is gone or silent.
std::optional<rest::Response> answerToUnreadable(const boost::system::error_code& failure);

// One more while it lives.
class Counted {
 public:
  explicit Counted(std::atomic<int>& count) : count_(count) { ++count_; }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }

 private:
  std::atomic<int>& count_;
};

template <class Stream>
class Session {
 public:
  // `underWay` counts requests between their last byte and their answer's.
  Session(Stream stream, const rest::Router& router, boost::asio::thread_pool& workers, std::atomic<int>& underWay)
      : stream_(std::move(stream)), router_(router), workers_(workers), underWay_(underWay) {}

  boost::asio::awaitable<void> run() {
    while (co_await serveOne()) {
    }
    if (relayed_ != nullptr) co_await relayTo(*relayed_);
    boost::system::error_code ignored;
    stream_.socket().shutdown(boost::asio::socket_base::shutdown_both, ignored);
  }

 private:
  static constexpr std::chrono::seconds kPatience{30};
  using Parser = http::request_parser<http::string_body>;

  // False: the connection is to be closed.
  boost::asio::awaitable<bool> serveOne() {
    Parser parser;
    parser.body_limit(rest::kLongestBody);
    if (const auto failure = co_await read(parser)) {
      auto answer = answerToUnreadable(failure);
      if (answer) co_await write(httpOf(*std::move(answer), kHttp11, false));
      co_return false;
    }
    const bool keepAlive = parser.get().keep_alive();
    const unsigned version = parser.get().version();
    const Counted counted(underWay_);
    rest::Response answered = co_await answer(requestOf(parser.release()));
    std::shared_ptr<const FileDescriptor> relayed = std::move(answered.relayed);
    const bool written = co_await write(httpOf(std::move(answered), version, keepAlive));
    if (relayed != nullptr && written) relayed_ = std::move(relayed);
    if (relayed_ != nullptr) co_return false;
    co_return written&& keepAlive;
  }

  // Here where the handler waits for nothing: to hand it to another thread and back costs more than most of these do.
  boost::asio::awaitable<rest::Response> answer(rest::Request request) {
    auto found = router_.find(request);
    if (!found.has_value()) co_return std::move(found).error();
    if (found->route->work == rest::Work::atOnce) co_return found->route->handler(request, found->path);
    co_return co_await boost::asio::co_spawn(workers_, handled(std::move(request), *std::move(found)),
                                             boost::asio::use_awaitable);
  }

  static boost::asio::awaitable<rest::Response> handled(rest::Request request, rest::Router::Found found) {
    co_return found.route->handler(request, found.path);
  }

  boost::asio::awaitable<boost::system::error_code> read(Parser& parser) {
    boost::system::error_code failure;
    const auto into = [&failure] { return boost::asio::redirect_error(boost::asio::use_awaitable, failure); };
    stream_.expires_after(kPatience);
    co_await http::async_read_header(stream_, buffer_, parser, into());
    if (failure) co_return failure;
    // RFC 9110, section 10.1.1: who sends this waits for leave to send the body.
    if (boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
      const HttpResponse leave(http::status::continue_, kHttp11);
      http::response_serializer<http::string_body, http::fields> serializer(leave);
      co_await http::async_write_header(stream_, serializer, into());
      if (failure) co_return failure;
    }
    co_await http::async_read(stream_, buffer_, parser, into());
    co_return failure;
  }

  boost::asio::awaitable<bool> write(HttpResponse response) {
    boost::system::error_code failure;
    stream_.expires_after(kPatience);
    co_await http::async_write(stream_, response, boost::asio::redirect_error(boost::asio::use_awaitable, failure));
    co_return !failure;
  }

  // `peer` stays who gave it; what the client said right after its request goes first.
  boost::asio::awaitable<void> relayTo(const FileDescriptor& peer) {
    Result<FileDescriptor> own = peer.duplicate();
    boost::system::error_code failure;
    boost::asio::ip::tcp::socket other(stream_.get_executor());
    if (own.has_value()) other.assign(boost::asio::ip::tcp::v4(), own->get(), failure);
    if (!own.has_value() || failure) co_return;
    own->release();
    stream_.expires_never();
    const auto into = [&failure] { return boost::asio::redirect_error(boost::asio::use_awaitable, failure); };
    if (buffer_.size() > 0) co_await boost::asio::async_write(other, buffer_.data(), into());
    if (!failure) co_await relay(stream_.socket(), other, kIdleRelay);
  }

  static constexpr unsigned kHttp11 = 11;
  static constexpr std::chrono::minutes kIdleRelay{15};

  Stream stream_;
  const rest::Router& router_;
  boost::asio::thread_pool& workers_;
  std::atomic<int>& underWay_;
  boost::beast::flat_buffer buffer_;
  std::shared_ptr<const FileDescriptor> relayed_;  // after a 101
};

}  // namespace qm
