#include "api/vmm/server/connection.h"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <fmt/format.h>

namespace qm::vmm {

namespace {

namespace asio = boost::asio;
using boost::system::error_code;

constexpr unsigned kHttp11 = 11;

// A completion token that waits and puts the outcome into `failure`.
auto into(error_code& failure) {
  return asio::redirect_error(asio::use_awaitable, failure);
}

HttpAnswer httpOf(Answer answer, unsigned version, bool keepAlive) {
  HttpAnswer message(static_cast<http::status>(answer.status), version);
  message.set(http::field::server, "Quickmatch API");
  message.keep_alive(keepAlive);
  if (!answer.body.empty()) message.set(http::field::content_type, "application/json");
  message.body() = std::move(answer.body);
  // RFC 9110, section 8.6: a 204 has no Content-Length.
  if (message.result() != http::status::no_content) message.prepare_payload();
  return message;
}

// An error of the transport, which Firecracker tells apart from a request's fault_message.
HttpAnswer transportError(http::status status, std::string_view sentence) {
  return httpOf({.status = static_cast<std::uint16_t>(status),
                 .body = boost::json::serialize(boost::json::object{{"error", sentence}})},
                kHttp11, false);
}

// What a request that could not be read is answered; none: the peer is gone.
std::optional<HttpAnswer> answerToUnreadable(const error_code& failure, std::string_view announcedBytes) {
  const bool isGone = failure == http::error::end_of_stream || failure == http::error::partial_message ||
                      failure.category() != make_error_code(http::error::end_of_stream).category();
  if (isGone) return std::nullopt;
  std::string reason = failure.message();
  if (failure == http::error::body_limit) {
    reason = fmt::format("Request payload with size {} is larger than the limit of {} allowed by server.",
                         announcedBytes.empty() ? "unknown" : announcedBytes, kLongestBody);
  }
  return transportError(http::status::bad_request, reason + "\nAll previous unanswered requests will be dropped.");
}

std::string_view viewOf(boost::beast::string_view text) {
  return {text.data(), text.size()};
}

}  // namespace

asio::awaitable<void> Connection::run() {
  while (co_await serveOne()) {
  }
  error_code ignored;
  (void)socket_.shutdown(asio::socket_base::shutdown_both, ignored);
}

asio::awaitable<bool> Connection::refuse() {
  return write(transportError(http::status::service_unavailable, "Too many open connections"));
}

asio::awaitable<bool> Connection::serveOne() {
  Parser parser;
  parser.body_limit(kLongestBody);
  if (const auto failure = co_await read(parser)) {
    auto answer = answerToUnreadable(failure, viewOf(parser.get()[http::field::content_length]));
    if (answer) co_await write(*std::move(answer));
    co_return false;
  }
  const bool keepAlive = parser.keep_alive();
  const auto& request = parser.get();
  Answer answer = handler_(viewOf(request.method_string()), viewOf(request.target()), request.body());
  const bool written = co_await write(httpOf(std::move(answer), request.version(), keepAlive));
  co_return written&& keepAlive;
}

asio::awaitable<error_code> Connection::read(Parser& parser) {
  error_code failure;
  co_await http::async_read_header(socket_, buffer_, parser, into(failure));
  if (failure) co_return failure;
  // RFC 9110, section 10.1.1: who sends this waits for leave to send the body.
  if (boost::beast::iequals(parser.get()[http::field::expect], "100-continue")) {
    const HttpAnswer leave(http::status::continue_, kHttp11);
    http::response_serializer<http::string_body, http::fields> serializer(leave);
    co_await http::async_write_header(socket_, serializer, into(failure));
    if (failure) co_return failure;
  }
  co_await http::async_read(socket_, buffer_, parser, into(failure));
  co_return failure;
}

asio::awaitable<bool> Connection::write(HttpAnswer answer) {
  error_code failure;
  co_await http::async_write(socket_, answer, into(failure));
  co_return !failure;
}

}  // namespace qm::vmm
