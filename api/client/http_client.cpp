#include "api/client/http_client.h"

#include <sstream>

#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <fmt/format.h>

#include "api/client/deadline_stream.h"
#include "vmm/os/stream_socket.h"
#include "vmm/os/unix_socket.h"
#include "vmm/os/wait.h"

namespace qm {

namespace {

namespace http = boost::beast::http;

// A command's two outputs of 7 MiB, each byte of them escaped as six characters, fit.
constexpr std::uint64_t kLongestAnswer = 128ULL << 20U;
constexpr unsigned kHttp11 = 11;

// Head and body in one piece, so that both go in one call.
std::string messageOf(const HttpAsk& ask) {
  http::request<http::string_body> message(http::string_to_verb(ask.method), ask.target, kHttp11);
  message.set(http::field::host, "localhost");
  message.set(http::field::accept, "application/json");
  for (const auto& [name, value] : ask.headers) message.set(name, value);
  if (!ask.body.empty()) message.set(http::field::content_type, "application/json");
  message.body() = ask.body;
  message.prepare_payload();
  std::ostringstream text;
  text << message;
  return std::move(text).str();
}

// As much as the peer takes: one that refuses a body may answer and close before it has read all.
Status sendAll(const FileDescriptor& socket, std::string_view text, HttpClient::Deadline deadline) {
  while (!text.empty()) {
    const Result<std::size_t> count = sendSome(socket, std::as_bytes(std::span(text)));
    if (count.has_value()) {
      text.remove_prefix(*count);
      continue;
    }
    if (count.error().remedy() != Remedy::retry) return {};
    TRY(waitWritable(socket, deadline));
  }
  return {};
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
  TRY(sendAll(connection, messageOf(request), deadline).during("asking " + socket_.string()));
  DeadlineStream stream(connection, deadline);
  boost::system::error_code failure;
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
