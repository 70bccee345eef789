#include "api/vmm/server/server.h"

#include <system_error>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "api/vmm/server/connection.h"
#include "vmm/os/unix_socket.h"

namespace qm::vmm {

namespace asio = boost::asio;
using Unix = asio::local::stream_protocol;
using boost::system::error_code;

class Server::Inside {
 public:
  Inside(std::filesystem::path socket, Handler handler)
      : path_(std::move(socket)), handler_(std::move(handler)), context_(1), acceptor_(context_) {}
  Inside(const Inside&) = delete;
  Inside& operator=(const Inside&) = delete;
  ~Inside() {
    std::error_code ignored;
    if (acceptor_.is_open()) std::filesystem::remove(path_, ignored);
  }

  Status listen() {
    FileDescriptor listener = TRY(listenUnix(path_, Blocking::no));
    error_code failure;
    (void)acceptor_.assign(Unix(), listener.release(), failure);
    if (failure) return systemError("listening on " + path_.string(), failure.value());
    asio::co_spawn(context_, accept(), asio::detached);
    return {};
  }

  asio::io_context& context() { return context_; }

 private:
  asio::awaitable<void> accept() {
    for (;;) {
      error_code failure;
      UnixSocket socket = co_await acceptor_.async_accept(asio::redirect_error(asio::use_awaitable, failure));
      if (failure) {
        // Most likely too many open files: wait until some connection is closed rather than spin.
        asio::steady_timer pause(context_, std::chrono::milliseconds(100));
        co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, failure));
        continue;
      }
      asio::co_spawn(context_, serve(std::move(socket)), asio::detached);
    }
  }

  asio::awaitable<void> serve(UnixSocket socket) {
    Connection connection(std::move(socket), handler_);
    if (connections_ == kMostConnections) {
      co_await connection.refuse();
      co_return;
    }
    ++connections_;
    co_await connection.run();
    --connections_;
  }

  std::filesystem::path path_;
  Handler handler_;
  std::size_t connections_ = 0;
  asio::io_context context_;
  Unix::acceptor acceptor_;
};

Server::Server(std::unique_ptr<Inside> inside) : inside_(std::move(inside)) {}
Server::~Server() = default;

Result<std::unique_ptr<Server>> Server::listen(const std::filesystem::path& socket, Handler handler) {
  auto inside = std::make_unique<Inside>(socket, std::move(handler));
  TRY(inside->listen());
  return std::unique_ptr<Server>(new Server(std::move(inside)));
}

void Server::run() {
  inside_->context().run();
}

void Server::stop() {
  inside_->context().stop();
}

}  // namespace qm::vmm
