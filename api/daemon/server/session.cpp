#include "api/daemon/server/session.h"

#include <sys/socket.h>

#include <cerrno>
#include <cstddef>

#include <fmt/format.h>

namespace qm {

rest::Request requestOf(HttpRequest&& message) {
  // RFC 9110, section 7.8: who speaks HTTP/1.0 is not understood to ask for another protocol.
  const bool mayUpgrade = message.version() >= 11;
  return {.method = std::string(message.method_string()),
          .target = std::string(message.target()),
          .body = std::move(message.body()),
          .authorization = std::string(message[http::field::authorization]),
          .origin = std::string(message[http::field::origin]),
          .upgrade = mayUpgrade ? std::string(message[http::field::upgrade]) : std::string()};
}

HttpResponse httpOf(rest::Response&& response, unsigned version, bool keepAlive) {
  HttpResponse message(http::int_to_status(response.status), version);
  message.set(http::field::server, fmt::format("quickmatchd/{}", kVersion));
  if (!response.contentType.empty()) message.set(http::field::content_type, response.contentType);
  message.keep_alive(keepAlive);
  for (const auto& [name, value] : response.headers) message.set(name, value);
  message.body() = std::move(response.body);
  // RFC 9110, section 8.6: a 204 has no Content-Length, nor has a 101.
  if (message.result() != http::status::no_content && message.result() != http::status::switching_protocols)
    message.prepare_payload();
  return message;
}

std::optional<rest::Response> answerToUnreadable(const boost::system::error_code& failure) {
  if (failure == http::error::body_limit) {
    return rest::respond({.code = rest::ProblemCode::bodyTooLarge,
                          .detail = fmt::format("the body has more than {} bytes", rest::kLongestBody)});
  }
  const bool gone = failure == http::error::end_of_stream || failure == http::error::partial_message ||
                    failure.category() != make_error_code(http::error::end_of_stream).category();
  if (gone) return std::nullopt;
  return rest::respond({.code = rest::ProblemCode::invalidRequest,
                        .detail = fmt::format("this is no HTTP/1.1 request: {}", failure.message())});
}

bool isGone(int socket) {
  std::byte letter{};
  const ssize_t count = ::recv(socket, &letter, 1, MSG_PEEK | MSG_DONTWAIT);
  return count == 0 || (count < 0 && errno != EAGAIN && errno != EINTR);
}

}  // namespace qm
