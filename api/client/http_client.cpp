#include "api/client/http_client.h"

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "api/client/deadline_stream.h"
#include "vmm/os/stream_socket.h"
#include "vmm/os/unix_socket.h"

namespace qm {

namespace {

namespace http = boost::beast::http;

// A command's two outputs of 7 MiB, each byte of them escaped as six characters, fit.
constexpr std::uint64_t kLongestAnswer = 128ULL << 20U;
constexpr unsigned kHttp11 = 11;

http::request<http::string_body> messageOf(const HttpAsk& ask) {
  http::request<http::string_body> message(http::string_to_verb(ask.method), ask.target, kHttp11);
  message.set(http::field::host, "localhost");
  message.set(http::field::accept, "application/json");
  for (const auto& [name, value] : ask.headers) message.set(name, value);
  if (!ask.body.empty()) message.set(http::field::content_type, "application/json");
  message.body() = ask.body;
  message.prepare_payload();
  return message;
}

Error failed(const std::filesystem::path& socket, const boost::system::error_code& failure) {
  const bool late = failure == boost::asio::error::timed_out;
  return Error(late ? Remedy::retry : Remedy::giveUp, fmt::format("asking {}: {}", socket.string(), failure.message()));
}

}  // namespace

Status HttpClient::connect() {
  connection_ = TRY(connectUnix(socket_, Blocking::no));
  return {};
}

bool HttpClient::isStale() const {
  std::byte next{};
  const Result<std::size_t> peeked = peekSome(connection_, std::span(&next, 1));
  return peeked.has_value() || peeked.error().remedy() != Remedy::retry;
}

Result<HttpAnswer> HttpClient::ask(const HttpAsk& request, Deadline deadline) {
  if (!connection_.isOpen() || isStale()) TRY(connect());
  // Whatever goes wrong from here on leaves the connection amid a message: it is not used again.
  FileDescriptor connection = std::move(connection_);
  DeadlineStream stream(connection, deadline);
  boost::system::error_code failure;
  const auto message = messageOf(request);
  http::write(stream, message, failure);
  // A server that refuses a body may answer before it has read all; what it said counts.
  if (failure && failure != boost::asio::error::broken_pipe) return failed(socket_, failure);
  boost::beast::flat_buffer buffer;
  http::response_parser<http::string_body> parser;
  parser.body_limit(kLongestAnswer);
  http::read(stream, buffer, parser, failure);
  if (failure) return failed(socket_, failure);
  const bool keep = parser.keep_alive() && buffer.size() == 0;
  http::response<http::string_body> answer = parser.release();
  if (keep) connection_ = std::move(connection);
  return HttpAnswer{.status = static_cast<std::uint16_t>(answer.result_int()),
                    .contentType = std::string(answer[http::field::content_type]),
                    .body = std::move(answer.body())};
}

}  // namespace qm
