// `quickmatch forward`: a port of this host's loopback that leads to a port of a guest, a connection to the daemon for
// each that is accepted. Until it is interrupted.
#include <chrono>
#include <cstdio>
#include <memory>
#include <string>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/read_until.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/system/system_error.hpp>
#include <fmt/format.h>

#include "api/cli/command.h"
#include "api/relay/relay.h"
#include "vmm/text/number.h"

namespace qm::cli {

namespace {

namespace asio = boost::asio;
using Unix = asio::local::stream_protocol;
using Tcp = asio::ip::tcp;
using boost::system::error_code;

constexpr std::size_t kLongestHeader = 16 * 1024;
// Longer than the daemon's own, whose end is the end.
constexpr std::chrono::minutes kIdleLimit{60};
// After a connection that could not be accepted.
constexpr std::chrono::milliseconds kPause{100};

struct Ports {
  std::uint16_t local = 0;  // 0: the kernel chooses
  std::uint16_t guest = 0;
};

Result<Ports> portsFrom(const std::string& text) {
  if (const std::size_t colon = text.find(':'); colon != std::string::npos) {
    const auto local = numberFrom<std::uint16_t>(text.substr(0, colon));
    const auto guest = numberFrom<std::uint16_t>(text.substr(colon + 1));
    if (local && guest && *guest != 0) return Ports{.local = *local, .guest = *guest};
  }
  return Error(Remedy::fixInput, fmt::format("\"{}\" is no pair of ports: give LOCAL:PORT, as 8080:80", text));
}

struct Way {
  Unix::endpoint daemon;
  std::string request;
};

asio::awaitable<void> forwardOne(Tcp::socket client, const Way& way) {
  error_code failure;
  const auto into = [&failure] { return asio::redirect_error(asio::use_awaitable, failure); };
  Unix::socket daemon(client.get_executor());
  co_await daemon.async_connect(way.daemon, into());
  if (!failure) co_await asio::async_write(daemon, asio::buffer(way.request), into());
  std::string heard;
  const std::size_t header = failure ? 0
                                     : co_await asio::async_read_until(
                                           daemon, asio::dynamic_buffer(heard, kLongestHeader), "\r\n\r\n", into());
  if (failure || !heard.starts_with("HTTP/1.1 101")) {
    const std::string why = failure ? failure.message() : heard.substr(0, heard.find('\r'));
    (void)std::fputs(fmt::format("quickmatch: a connection was not made: {}\n", why).c_str(), stderr);
    co_return;
  }
  co_await relay(daemon, client, kIdleLimit, asio::buffer(heard) + header);
}

// Too many open files, here or on the host, or a client that went away while it waited: all of it passes. It is told
// once, until one is accepted again.
asio::awaitable<void> forwardAll(Tcp::acceptor& acceptor, const Way& way) {
  bool isTold = false;
  for (;;) {
    error_code failure;
    const auto into = [&failure] { return asio::redirect_error(asio::use_awaitable, failure); };
    Tcp::socket client = co_await acceptor.async_accept(into());
    if (!failure) {
      isTold = false;
      asio::co_spawn(acceptor.get_executor(), forwardOne(std::move(client), way), asio::detached);
      continue;
    }
    if (!isTold) {
      const std::string why =
          fmt::format("quickmatch: a connection was not accepted: {}; going on\n", failure.message());
      (void)std::fputs(why.c_str(), stderr);
    }
    isTold = true;
    asio::steady_timer pause(acceptor.get_executor(), kPause);
    co_await pause.async_wait(into());
  }
}

Status listen(Tcp::acceptor& acceptor, std::uint16_t port) {
  const Tcp::endpoint here(asio::ip::address_v4::loopback(), port);
  error_code failure;
  (void)acceptor.open(here.protocol(), failure);
  if (!failure) (void)acceptor.set_option(asio::socket_base::reuse_address(true), failure);
  if (!failure) (void)acceptor.bind(here, failure);
  if (!failure) (void)acceptor.listen(asio::socket_base::max_listen_connections, failure);
  if (!failure) return {};
  if (failure == asio::error::address_in_use) {
    return Error(Remedy::fixInput,
                 fmt::format("port {} of 127.0.0.1 is in use: give another one, or 0 for any that is free", port));
  }
  return Error(Remedy::fixInput, fmt::format("listening on 127.0.0.1:{}: {}", port, failure.message()));
}

// Until a signal ends the program.
Status serve(const Ports& ports, const Way& way) {
  asio::io_context context(1);
  Tcp::acceptor acceptor(context);
  TRY(listen(acceptor, ports.local));
  (void)std::fputs(fmt::format("127.0.0.1:{}\n", acceptor.local_endpoint().port()).c_str(), stdout);
  (void)std::fflush(stdout);
  asio::co_spawn(context, forwardAll(acceptor, way), asio::detached);
  context.run();
  return Error(Remedy::giveUp, "no connection is accepted any more");
}

}  // namespace

int forward(DaemonApi& api, const std::string& lease, const std::string& ports) {
  const auto handle = leaseHandle(lease);
  if (!handle.has_value()) return fail(handle.error(), kMistyped);
  const auto pair = portsFrom(ports);
  if (!pair.has_value()) return fail(pair.error(), kMistyped);
  // A lease that is none is told here, not with the first connection.
  const auto there = api.askOfLease("GET", *handle, "");
  if (!there.has_value()) return fail(there.error());
  // Short enough: the daemon was asked by it.
  const Way way{.daemon = Unix::endpoint(api.socket().native()),
                .request = fmt::format("GET /v1/leases/{}/tcp/{} HTTP/1.1\r\nHost: quickmatch\r\nAuthorization: Bearer "
                                       "{}\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\n",
                                       handle->id, pair->guest, handle->token)};
  try {
    return fail(serve(*pair, way).error());
  } catch (const boost::system::system_error& error) {
    // By what Asio makes of its own, as where no descriptor is left.
    return fail(Error(Remedy::retry, fmt::format("forwarding: {}", error.code().message())));
  }
}

}  // namespace qm::cli
