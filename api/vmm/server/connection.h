// One connection: requests in, answers out, until either side has enough. For server.cpp only: it shows Beast.
#pragma once

#include <optional>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>

#include "api/vmm/server/server.h"

namespace qm::vmm {

namespace http = boost::beast::http;
using UnixSocket = boost::asio::local::stream_protocol::socket;
using HttpAnswer = http::response<http::string_body>;

class Connection {
 public:
  // The handler outlives the connection.
  Connection(UnixSocket socket, const Server::Handler& handler) : socket_(std::move(socket)), handler_(handler) {}

  boost::asio::awaitable<void> run();
  // The one answer of a connection too many.
  boost::asio::awaitable<bool> refuse();

 private:
  using Parser = http::request_parser<http::string_body>;
  // False: the connection is to be closed.
  boost::asio::awaitable<bool> serveOne();
  boost::asio::awaitable<boost::system::error_code> read(Parser& parser);
  boost::asio::awaitable<bool> write(HttpAnswer answer);

  UnixSocket socket_;
  const Server::Handler& handler_;
  boost::beast::flat_buffer buffer_;
};

}  // namespace qm::vmm
