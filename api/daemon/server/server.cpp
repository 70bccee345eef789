#include "api/daemon/server/server.h"

#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <fmt/format.h>

#include "api/daemon/server/session.h"
#include "vmm/os/unix_socket.h"
#include "vmm/text/number.h"

namespace qm {

namespace {

namespace asio = boost::asio;
using Unix = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

Error listening(std::string_view where, const error_code& failure) {
  return Error(Remedy::fixInput, fmt::format("listening on {}: {}", where, failure.message()));
}

// A socket's file where nobody listens is what a daemon left that was killed.
Status removeStaleSocket(const std::filesystem::path& path) {
  std::error_code failure;
  if (!std::filesystem::is_socket(path, failure)) return {};
  if (connectUnix(path, Blocking::no).has_value()) {
    return Error(Remedy::fixInput, fmt::format("another program listens on {}", path.string()));
  }
  std::filesystem::remove(path, failure);
  return {};
}

}  // namespace

Result<TcpAddress> parseTcpAddress(const std::string& text) {
  const Error refused(Remedy::fixInput,
                      fmt::format("\"{}\" is no address to listen on; one is 127.0.0.1:8080 or [::1]:8080", text));
  const std::size_t colon = text.rfind(':');
  if (colon == std::string::npos) return refused;
  TcpAddress address{.host = text.substr(0, colon)};
  if (address.host.starts_with('[') && address.host.ends_with(']')) address.host = text.substr(1, colon - 2);
  error_code failure;
  asio::ip::make_address(address.host, failure);
  const auto port = numberFrom<std::uint16_t>(std::string_view(text).substr(colon + 1));
  if (failure || !port) return refused;
  address.port = *port;
  return address;
}

class Server::Inside {
 public:
  Inside(const rest::Router& router, std::uint32_t threads, Log log)
      : router_(router), log_(std::move(log)), unix_(context_), tcp_(context_), workers_(threads) {}

  Status listen(const ServerSettings& settings) {
    error_code failure;
    TRY(removeStaleSocket(settings.socket));
    FileDescriptor listener = TRY(listenUnix(settings.socket, Blocking::no));
    (void)unix_.assign(Unix(), listener.release(), failure);
    if (failure) return listening(settings.socket.string(), failure);
    socket_ = settings.socket;
    std::filesystem::permissions(socket_, std::filesystem::perms::owner_read | std::filesystem::perms::owner_write);
    if (settings.tcp) TRY(listenTcp(*settings.tcp));
    return {};
  }

  void serve() {
    asio::co_spawn(context_, accept(unix_), asio::detached);
    if (tcp_.is_open()) asio::co_spawn(context_, accept(tcp_), asio::detached);
    thread_ = std::jthread([this] { context_.run(); });
  }

  std::uint16_t tcpPort() const {
    error_code failure;
    const Tcp::endpoint endpoint = tcp_.local_endpoint(failure);
    return failure ? std::uint16_t{0} : endpoint.port();
  }

  void stopListening() {
    // Acceptors belong to their coroutines, which run on the context.
    asio::post(context_, [this] {
      error_code ignored;
      (void)unix_.cancel(ignored);
      if (tcp_.is_open()) (void)tcp_.cancel(ignored);
    });
    listening_ = false;
    std::error_code ignored;
    if (!socket_.empty()) std::filesystem::remove(socket_, ignored);
    socket_.clear();
  }

  void stop(std::chrono::milliseconds patience) {
    if (listening_) stopListening();
    const auto deadline = std::chrono::steady_clock::now() + patience;
    while (underWay_ > 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    }
    context_.stop();
    if (thread_.joinable()) thread_.join();
    workers_.stop();
    workers_.join();
  }

 private:
  Status listenTcp(const TcpAddress& address) {
    const Tcp::endpoint endpoint(asio::ip::make_address(address.host), address.port);
    error_code failure;
    (void)tcp_.open(endpoint.protocol(), failure);
    if (!failure) (void)tcp_.set_option(asio::socket_base::reuse_address(true), failure);
    if (!failure) (void)tcp_.bind(endpoint, failure);
    if (!failure) (void)tcp_.listen(asio::socket_base::max_listen_connections, failure);
    if (failure) return listening(fmt::format("{}:{}", address.host, address.port), failure);
    return {};
  }

  template <class Acceptor>
  asio::awaitable<void> accept(Acceptor& acceptor) {
    using Protocol = typename Acceptor::protocol_type;
    using Stream = boost::beast::basic_stream<Protocol, asio::io_context::executor_type>;
    while (listening_) {
      error_code failure;
      typename Protocol::socket socket =
          co_await acceptor.async_accept(asio::redirect_error(asio::use_awaitable, failure));
      if (failure == asio::error::operation_aborted) co_return;
      if (failure) {
        // Most likely too many open files: wait until some connection is closed rather than spin.
        log_.warning("server.accept_failed", {{"error", failure.message()}});
        asio::steady_timer pause(context_, std::chrono::milliseconds(100));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
        continue;
      }
      if constexpr (std::is_same_v<Protocol, Tcp>) socket.set_option(Tcp::no_delay(true), failure);
      const Protocol protocol = socket.local_endpoint().protocol();
      Stream stream(context_.get_executor());
      stream.socket().assign(protocol, socket.release());
      asio::co_spawn(context_, serveSession(std::move(stream)), asio::detached);
    }
  }

  template <class Stream>
  asio::awaitable<void> serveSession(Stream stream) {
    Session<Stream> session(std::move(stream), router_, workers_, underWay_);
    co_await session.run();
  }

  const rest::Router& router_;
  Log log_;
  std::atomic<int> underWay_{0};
  std::atomic<bool> listening_{true};
  // One thread runs it, so that a request that is read, answered and written wakes no other. With one thread for each
  // request at once a look at /v1/pools cost 31 futex calls and 10 context switches.
  asio::io_context context_{1};
  Unix::acceptor unix_;
  Tcp::acceptor tcp_;
  std::filesystem::path socket_;
  // Last: joined before what they use goes.
  asio::thread_pool workers_;  // for handlers that may wait
  std::jthread thread_;        // runs the context
};

Server::Server(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}

Server::~Server() {
  stop(std::chrono::milliseconds(0));
}

Result<std::unique_ptr<Server>> Server::start(const ServerSettings& settings, const rest::Router& router, Log log) {
  auto inside = std::make_unique<Inside>(router, settings.threads, std::move(log));
  TRY(inside->listen(settings));
  inside->serve();
  return std::unique_ptr<Server>(new Server(std::move(inside)));
}

std::uint16_t Server::tcpPort() const {
  return inside_->tcpPort();
}

void Server::stopListening() {
  inside_->stopListening();
}

void Server::stop(std::chrono::milliseconds patience) {
  inside_->stop(patience);
}

}  // namespace qm
