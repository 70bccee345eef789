// One connection: requests in, answers out, until either side has enough. For server.cpp only: it shows Beast.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <optional>

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
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

// Whether the peer has closed its connection, or the half that it sends by: what it waits for it could not ask for
// again.
bool isGone(int socket);

// A descriptor that stays its owner's, watched while this lives.
class Watched {
 public:
  Watched(const boost::asio::any_io_executor& executor, const FileDescriptor& file)
      : descriptor_(executor, file.get()) {}
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() { descriptor_.release(); }

  template <class Token>
  auto whenReadable(Token token) {
    return descriptor_.async_wait(boost::asio::posix::descriptor_base::wait_read, std::move(token));
  }

 private:
  boost::asio::posix::stream_descriptor descriptor_;
};

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
    (void)stream_.socket().shutdown(boost::asio::socket_base::shutdown_both, ignored);
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
    const rest::Request request = requestOf(parser.release());
    std::optional<rest::Response> response = co_await answer(request);
    if (!response) co_return false;
    std::shared_ptr<const FileDescriptor> relayed = std::move(response->relayed);
    const auto onUndelivered = std::move(response->onUndelivered);
    const std::shared_ptr<const void> afterwards = std::move(response->afterwards);
    const bool isThere = !onUndelivered || !isGone(stream_.socket().native_handle());
    const bool written = isThere && co_await write(httpOf(*std::move(response), version, keepAlive));
    // On its thread: it may have to wait.
    if (!written && onUndelivered) boost::asio::post(workers_, onUndelivered);
    if (written) relayed_ = std::move(relayed);
    co_return written&& keepAlive&& relayed_ == nullptr;
  }

  // Here as far as nothing is waited for but a descriptor: to hand a request to another thread and back costs more than
  // most of them do. None: who asked is gone, and what it asked for was given up.
  boost::asio::awaitable<std::optional<rest::Response>> answer(const rest::Request& request) {
    auto found = router_.find(request);
    if (!found.has_value()) co_return std::move(found).error();
    const rest::Route& route = *found->route;
    if (route.work == rest::Work::atOnce) co_return route.handler(request, found->path);
    rest::Begun begun = route.begin ? route.begin(request, found->path)
                                    : rest::OnThread{[&] { return route.handler(request, found->path); }};
    for (;;) {
      if (auto* response = std::get_if<rest::Response>(&begun)) co_return std::move(*response);
      if (auto* job = std::get_if<rest::OnThread>(&begun)) {
        begun = co_await onThread(std::move(*job));
        continue;
      }
      rest::Pending& pending = *std::get<std::unique_ptr<rest::Pending>>(begun);
      if (!co_await waitFor(pending)) co_return std::nullopt;
      if (auto next = pending.proceed()) begun = *std::move(next);
    }
  }

  boost::asio::awaitable<rest::Begun> onThread(rest::OnThread job) {
    co_return co_await boost::asio::co_spawn(workers_, done(std::move(job)), boost::asio::use_awaitable);
  }
  static boost::asio::awaitable<rest::Begun> done(rest::OnThread job) { co_return job.work(); }

  // Until there is something to look at. False: who asked is gone, and needed.
  boost::asio::awaitable<bool> waitFor(const rest::Pending& pending) {
    using namespace boost::asio::experimental::awaitable_operators;  // NOLINT(google-build-using-namespace)
    using boost::asio::use_awaitable;
    const auto executor = stream_.get_executor();
    Watched file(executor, pending.file());
    boost::asio::steady_timer timer(executor, pending.deadline());
    boost::system::error_code ignored;
    const auto quietly = [&ignored] { return boost::asio::redirect_error(use_awaitable, ignored); };
    constexpr auto kReadable = boost::asio::socket_base::wait_read;
    if (pending.client() == rest::Client::mayBeGone) {
      co_await (file.whenReadable(quietly()) || timer.async_wait(quietly()));
      co_return true;
    }
    const auto first = co_await (file.whenReadable(quietly()) || timer.async_wait(quietly()) ||
                                 stream_.socket().async_wait(kReadable, quietly()));
    if (first.index() != kClient) co_return true;
    if (isGone(stream_.socket().native_handle())) co_return false;
    // It sends on, its next request: what it does after that cannot be seen.
    co_await (file.whenReadable(quietly()) || timer.async_wait(quietly()));
    co_return true;
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
    if (own.has_value()) (void)other.assign(boost::asio::ip::tcp::v4(), own->get(), failure);
    if (!own.has_value() || failure) co_return;
    own->release();
    stream_.expires_never();
    co_await relay(stream_.socket(), other, kIdleRelay, buffer_.cdata());
  }

  static constexpr unsigned kHttp11 = 11;
  static constexpr std::chrono::minutes kIdleRelay{15};
  static constexpr std::size_t kClient = 2;  // among what waitFor() waits for

  Stream stream_;
  const rest::Router& router_;
  boost::asio::thread_pool& workers_;
  std::atomic<int>& underWay_;
  boost::beast::flat_buffer buffer_;
  std::shared_ptr<const FileDescriptor> relayed_;  // after a 101
};

}  // namespace qm
